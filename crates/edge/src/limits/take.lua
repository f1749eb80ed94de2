-- Counts one call towards the buckets KEYS, or, where one refuses, towards none: the rule of bucket.rs, in microseconds.
-- ARGV, for each key: interval, burst and queue, each as a time. Answers, for each key: whether it refuses, how long to
-- wait, how far ahead of now the bucket is full. The time is the server's, so that all processes have one clock.
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local answers, following, refused = {}, {}, false
for at, key in ipairs(KEYS) do
    local interval = tonumber(ARGV[at * 3 - 2])
    local burst = tonumber(ARGV[at * 3 - 1])
    local most = burst + tonumber(ARGV[at * 3])
    local full_at = math.max(tonumber(redis.call('GET', key) or '0'), now)
    local ahead = full_at + interval - now
    following[at] = full_at + interval
    if ahead > most then
        refused = true
        answers[at] = { 1, math.ceil(ahead - most), math.ceil(full_at - now) }
    else
        answers[at] = { 0, math.ceil(math.max(ahead - burst, 0)), math.ceil(ahead) }
    end
end
if not refused then
    for at, key in ipairs(KEYS) do
        local stays = math.ceil((following[at] - now) / 1000) + 1
        redis.call('SET', key, string.format('%.3f', following[at]), 'PX', stays)
    end
end
return answers
