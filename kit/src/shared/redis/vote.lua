-- Counts a vote once for each voter, entry and window. Scores are kept negative, so that Redis ranks the best
-- first and equal ones by name.
-- KEYS: board, voters of the window. ARGV: entry, ballot, negative weight, most entries, most voters,
-- ms until the window ends, life of a board in ms.
if redis.call('SCARD', KEYS[2]) >= tonumber(ARGV[5]) then return 0 end
if redis.call('SADD', KEYS[2], ARGV[2]) == 0 then return 0 end
if redis.call('PTTL', KEYS[2]) < 0 then redis.call('PEXPIRE', KEYS[2], ARGV[6]) end
redis.call('ZINCRBY', KEYS[1], ARGV[3], ARGV[1])
redis.call('ZREMRANGEBYRANK', KEYS[1], ARGV[4], -1)
redis.call('PEXPIRE', KEYS[1], ARGV[7])
return 1
