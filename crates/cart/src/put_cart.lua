-- KEYS[1] the cart; ARGV: 1 its version, 2 the stamp that was found there and is wrong, or '', 3 what is to be kept, 4 for
-- how many milliseconds. A later version stays, unless it is the one that was found to be wrong.
local kept = redis.call('GET', KEYS[1])
if kept then
    local stamp = string.match(kept, '^[^\n]*')
    local version = tonumber(string.match(stamp, '^%d+'))
    if version and version >= tonumber(ARGV[1]) and stamp ~= ARGV[2] then
        return 0
    end
end
redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
return 1
