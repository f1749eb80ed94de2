-- KEYS[1] the cart, ARGV[1] the stamp that was found there and is wrong: whatever has come since stays.
local kept = redis.call('GET', KEYS[1])
if kept and string.match(kept, '^[^\n]*') == ARGV[1] then
    return redis.call('DEL', KEYS[1])
end
return 0
