import { Script } from './script.ts'

/*
 * append: KEYS stream · ARGV group, epoch, firstSeq, backlogMax, then header and data of each record
 *   gives {answer, top, prev}: see AppendAnswer
 * The only key is the stream. All or nothing: when Redis is out of memory the first XADD is refused before anything is written.
 * A stranger's entries count for the order, never as ours: a seal names the last event, and an entry in our place fences us.
 * XINFO STREAM, not the last entry, tells the top: a stream that was trimmed empty still knows it.
 */
const APPEND = `
local key, group, epochText = KEYS[1], ARGV[1], ARGV[2]
local epoch, first, backlogMax = tonumber(epochText), tonumber(ARGV[3]), tonumber(ARGV[4])
local count = (#ARGV - 4) / 2

local info = redis.pcall('XINFO', 'STREAM', key)
if info.err then
  if string.find(info.err, 'no such key', 1, true) then return {'nostream'} end
  return info
end
local stream = {}
for i = 1, #info, 2 do stream[info[i]] = info[i + 1] end
local top, length = stream['last-generated-id'], stream.length
local topEpoch, topSeq = string.match(top, '^(%d+)%-(%d+)$')
topEpoch, topSeq = tonumber(topEpoch), tonumber(topSeq)

-- The last event before a new epoch. What a stranger put behind it will never be in the store, so a seal that named it could never be reached.
-- A top above every entry is a floor: the store has events up to there that this stream lost, and a seal below them would fence them. (Or a deleted entry of a stranger stood there.)
local function lastEvent()
  local before = '+'
  while true do
    local entries = redis.call('XREVRANGE', key, before, '-', 'COUNT', 20)
    if #entries == 0 then return top end
    if before == '+' and entries[1][1] ~= top and stream['max-deleted-entry-id'] ~= top then return top end
    for _, entry in ipairs(entries) do
      local id, fields = entry[1], entry[2]
      local ts = #fields == 2 and string.match(fields[1], '^[^ ]+ ([^ ]+) ')
      if ts and tonumber(ts) and string.sub(id, -2) ~= '-0' then return id end
      before = '(' .. id
    end
  end
end

local function seal(data, prev)
  local comma = data == '{}' and '' or ','
  return string.sub(data, 1, -2) .. comma .. '"prev":"' .. prev .. '"}'
end

if epoch < topEpoch then return {'fenced', top} end
local skip, prev = 0, false
if epoch > topEpoch then
  if first > 1 then return {'gap', top} end
else
  if first > topSeq + 1 then return {'gap', top} end
  skip = math.min(count, topSeq + 1 - first)
  if first == 1 and skip > 0 then
    local entry = redis.call('XRANGE', key, epochText .. '-1', epochText .. '-1')[1]
    if entry then
      local data = entry[2][2]
      prev = string.match(data, '"prev":"(%d+%-%d+)"}$')
      if not prev or data ~= seal(ARGV[6], prev) then return {'fenced', top} end
    end
  end
  if skip > 0 then
    -- Somebody else used our epoch: what stands there is not what we sent, so "it was there already" would be a loss. What was trimmed was stored.
    local at = epochText .. '-' .. string.format('%d', first + skip - 1)
    local entry = redis.call('XRANGE', key, at, at)[1]
    if entry and first + skip - 1 > 1 and (entry[2][1] ~= ARGV[3 + 2 * skip] or entry[2][2] ~= ARGV[4 + 2 * skip]) then return {'fenced', top} end
  end
  if skip == count then return {'dup', top, prev} end
end

if length >= backlogMax then
  local backlog = length
  for _, g in ipairs(redis.call('XINFO', 'GROUPS', key)) do
    local field = {}
    for i = 1, #g, 2 do field[g[i]] = g[i + 1] end
    if field.name == group and field.lag then backlog = math.min(length, field.pending + field.lag) end
  end
  if backlog >= backlogMax then return {'busy', top} end
end

for i = skip, count - 1 do
  local header, data = ARGV[5 + 2 * i], ARGV[6 + 2 * i]
  if first + i == 1 then
    prev = lastEvent()
    data = seal(data, prev)
    redis.call('PERSIST', key)
  end
  redis.call('XADD', key, 'NOMKSTREAM', epochText .. '-' .. string.format('%d', first + i), header, data)
end
return {'ok', epochText .. '-' .. string.format('%d', first + count - 1), prev}
`

/*
 * create: KEYS stream · ARGV group, floor epoch, floor seq
 * Makes stream and group, raises the last id to the floor if it is below, and takes away an expiry.
 */
const CREATE = `
local made = redis.pcall('XGROUP', 'CREATE', KEYS[1], ARGV[1], '0', 'MKSTREAM')
if made.err and not string.find(made.err, 'BUSYGROUP', 1, true) then return made end
local info = redis.call('XINFO', 'STREAM', KEYS[1])
for i = 1, #info, 2 do
  if info[i] == 'last-generated-id' then
    local epoch, seq = string.match(info[i + 1], '^(%d+)%-(%d+)$')
    epoch, seq = tonumber(epoch), tonumber(seq)
    local floorEpoch, floorSeq = tonumber(ARGV[2]), tonumber(ARGV[3])
    if epoch < floorEpoch or (epoch == floorEpoch and seq < floorSeq) then redis.call('XSETID', KEYS[1], ARGV[2] .. '-' .. ARGV[3]) end
  end
end
redis.call('PERSIST', KEYS[1])
return 'OK'
`

/** The append: see above for keys, arguments and reply. */
export const appendScript = new Script(APPEND)
/** The one call that makes a stream. */
export const createScript = new Script(CREATE)
