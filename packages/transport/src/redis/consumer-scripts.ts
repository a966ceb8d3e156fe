import { Script } from './script.ts'

/*
 * Scripts of the consumers' side. Unlike append they touch keys of several runs at once, which is one more reason why Redis Cluster is refused.
 * All take the lease keys and stream keys of the same runs in the same order, and answer one number a run.
 */

/** What stands in a stream for its group: fields of XINFO GROUPS, or nil. */
const GROUP_OF = `
local function groupOf(key, name)
  local groups = redis.pcall('XINFO', 'GROUPS', key)
  if groups.err then return nil end
  for _, g in ipairs(groups) do
    local field = {}
    for i = 1, #g, 2 do field[g[i]] = g[i + 1] end
    if field.name == name then return field end
  end
  return nil
end
`

/** Whether a key is a stream: whoever else writes to this Redis may have put something else under one of our names, and a command on that would end the script for all other runs. */
const IS_STREAM = `
local function isStream(key)
  return redis.call('TYPE', key).ok == 'stream'
end
`

/** True when something of a stream is not acknowledged. Looks for an entry after the last delivered one, because the lag of XINFO may be wrong. */
const HAS_WORK = `${GROUP_OF}${IS_STREAM}
local function hasWork(key, name)
  if not isStream(key) then return false end
  local group = groupOf(key, name)
  if not group then return redis.call('XLEN', key) > 0 end
  if group.pending > 0 then return true end
  return #redis.call('XRANGE', key, '(' .. group['last-delivered-id'], '+', 'COUNT', 1) > 0
end
`

/** acquire: KEYS leases, streams · ARGV token, ms, group · gives -2 taken by another, or no stream of ours, -1 no group, else how many entries are pending. */
export const acquireScript = new Script(`${IS_STREAM}
local n = #KEYS / 2
local out = {}
for i = 1, n do
  if redis.call('EXISTS', KEYS[n + i]) == 1 and not isStream(KEYS[n + i]) then
    out[i] = -2
  elseif not redis.call('SET', KEYS[i], ARGV[1], 'NX', 'PX', ARGV[2]) then
    out[i] = -2
  else
    local pending = redis.pcall('XPENDING', KEYS[n + i], ARGV[3])
    out[i] = pending.err and -1 or pending[1]
  end
end
return out
`)

/** release: KEYS leases, streams, ready · ARGV token, group, now, again, fids… · gives 1 where it was ours. The stream is looked at after its lease is gone, so what came meanwhile is hinted by one side or the other. */
export const releaseScript = new Script(`${HAS_WORK}
local n = (#KEYS - 1) / 2
local out = {}
for i = 1, n do
  out[i] = 0
  if redis.call('GET', KEYS[i]) == ARGV[1] then
    redis.call('DEL', KEYS[i])
    out[i] = 1
    if ARGV[4] == '1' or hasWork(KEYS[n + i], ARGV[2]) then redis.call('ZADD', KEYS[#KEYS], 'NX', ARGV[3], ARGV[4 + i]) end
  end
end
return out
`)

/** renew: KEYS leases · ARGV token, ms · gives 1 where it is ours still, or again because nobody took it. */
export const renewScript = new Script(`
local out = {}
for i = 1, #KEYS do
  local owner = redis.call('GET', KEYS[i])
  out[i] = 0
  if not owner or owner == ARGV[1] then
    redis.call('SET', KEYS[i], ARGV[1], 'PX', ARGV[2])
    out[i] = 1
  end
end
return out
`)

/** sweep: KEYS leases, streams, active, ready · ARGV group, now, fids… · gives 1 where it hinted. Forgets runs whose stream is gone (their producer makes it again) or is none. */
export const sweepScript = new Script(`${HAS_WORK}
local n = (#KEYS - 2) / 2
local out = {}
for i = 1, n do
  out[i] = 0
  if not isStream(KEYS[n + i]) then
    redis.call('SREM', KEYS[#KEYS - 1], ARGV[2 + i])
  elseif redis.call('EXISTS', KEYS[i]) == 0 and hasWork(KEYS[n + i], ARGV[1]) then
    out[i] = redis.call('ZADD', KEYS[#KEYS], 'NX', ARGV[2], ARGV[2 + i])
  end
end
return out
`)

/** expire: KEYS streams, active · ARGV group, ms, fids… · gives 1 where the stream may go; one that a retry has written to stays. */
export const expireScript = new Script(`${HAS_WORK}
local n = #KEYS - 1
local out = {}
for i = 1, n do
  out[i] = 0
  if not hasWork(KEYS[i], ARGV[1]) then
    redis.call('SREM', KEYS[#KEYS], ARGV[2 + i])
    if isStream(KEYS[i]) then redis.call('PEXPIRE', KEYS[i], ARGV[2]) end
    out[i] = 1
  end
end
return out
`)

/**
 * trim: KEYS stream · ARGV group, keep · gives how many entries went. Never touches what is not acknowledged: the limit is the oldest pending entry, or the one after the last delivered.
 * Ids have no holes within an epoch, so the entry to keep from is counted, not searched; entries of earlier epochs go first.
 */
export const trimScript = new Script(`${GROUP_OF}
local key, keep = KEYS[1], tonumber(ARGV[2])
local group = groupOf(key, ARGV[1])
if not group then return 0 end
local acked = redis.call('XLEN', key) - group.pending - (group.lag or 0)
if acked <= keep then return 0 end
local epoch, seq
if group.pending > 0 then
  epoch, seq = string.match(redis.call('XPENDING', key, ARGV[1])[2], '^(%d+)%-(%d+)$')
  seq = tonumber(seq)
else
  epoch, seq = string.match(group['last-delivered-id'], '^(%d+)%-(%d+)$')
  seq = tonumber(seq) + 1
end
local from = math.max(0, seq - math.floor(keep * 0.9))
return redis.call('XTRIM', key, 'MINID', '=', epoch .. '-' .. string.format('%d', from))
`)

/** status: KEYS leases, streams · ARGV group · gives {owner or '', entries not acknowledged, ms since the oldest pending was delivered or -1} a run. */
export const statusScript = new Script(`${GROUP_OF}${IS_STREAM}
local n = #KEYS / 2
local out = {}
for i = 1, n do
  local key = KEYS[n + i]
  local group = groupOf(key, ARGV[1])
  local lag, idle = 0, -1
  if group then
    lag = group.pending + (group.lag or math.max(0, redis.call('XLEN', key) - group.pending))
    local oldest = group.pending > 0 and redis.call('XPENDING', key, ARGV[1], '-', '+', 1)[1]
    if oldest then idle = oldest[3] end
  elseif isStream(key) then
    lag = redis.call('XLEN', key)
  end
  out[i] = {redis.call('GET', KEYS[i]) or '', lag, idle}
end
return out
`)
