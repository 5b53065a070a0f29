-- Adds revoked sessions and publishes those that are new; with a lease they are known to be all there are.
-- KEYS: revoked. ARGV: channel, run, lease in ms or 0, now in us by the house's clock, life of the key in ms,
-- then each session and when its tokens are dead, in us.
local added = 0
for at = 6, #ARGV, 2 do
    if redis.call('ZADD', KEYS[1], ARGV[at + 1], ARGV[at]) == 1 then
        added = added + 1
        redis.call('PUBLISH', ARGV[1], ARGV[at] .. ' ' .. ARGV[at + 1])
    end
end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
if not redis.call('ZSCORE', KEYS[1], 'version') then
    -- Never a number that somebody has seen of a set that was lost.
    redis.call('ZADD', KEYS[1], '-' .. time[1] .. string.format('%06d', tonumber(time[2])), 'version')
elseif added > 0 then
    redis.call('ZINCRBY', KEYS[1], -1, 'version')
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-' .. string.format('%.0f', now), '(0')
redis.call('ZREMRANGEBYSCORE', KEYS[1], '0', ARGV[4])
local lease = tonumber(ARGV[3])
if lease > 0 then
    redis.call('ZADD', KEYS[1], '-' .. string.format('%.0f', now + lease), 'whole:' .. ARGV[2])
end
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return added
