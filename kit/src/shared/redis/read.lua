-- Reads the revoked sessions, if they are known to be all of them; nothing of them when none was added since.
-- One key holds everything, so that no part can be lost without the rest: sessions by when their tokens are dead
-- (positive), `version` and `whole:<run>` (negative).
-- KEYS: revoked. ARGV: run, version known, now in us by the house's clock.
local whole = redis.call('ZSCORE', KEYS[1], 'whole:' .. ARGV[1])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
if not whole or -tonumber(whole) < now then return false end
local version = redis.call('ZSCORE', KEYS[1], 'version') or ''
if version == ARGV[2] then return { version, {} } end
return { version, redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. ARGV[3], '+inf', 'WITHSCORES') }
