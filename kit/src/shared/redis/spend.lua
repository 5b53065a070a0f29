-- Takes points out of a bucket that fills by Redis's own clock, all or none.
-- KEYS: bucket. ARGV: capacity, points per second, points asked for, longest life in ms.
local capacity, per_second, asked = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local kept = redis.call('HMGET', KEYS[1], 'points', 'at')
local points, at = tonumber(kept[1]) or capacity, tonumber(kept[2]) or now
-- A clock that was set back fills nothing.
points = math.min(capacity, points + math.max(0, now - at) / 1000000 * per_second)
local granted = points >= asked
if granted then points = points - asked end
local left = string.format('%.17g', points)
redis.call('HSET', KEYS[1], 'points', left, 'at', string.format('%.0f', math.max(now, at)))
-- A full bucket is as good as none.
local life = tonumber(ARGV[4])
if per_second > 0 then life = math.min(life, (capacity - points) / per_second * 1000 + 1000) end
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.max(life, 1000)))
return { granted and 1 or 0, left }
