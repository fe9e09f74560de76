/**
 * What is done in the Redis server, each as one atomic Lua script.
 *
 * An entry is a string, `VERSION:EXPIRES:JSON`, under PREFIX:e:KEY. Beside them: PREFIX:version, the last version given;
 * PREFIX:keys, all keys in the order of their bytes; PREFIX:expiries, those that expire, by their time.
 *
 * A version is the server's time in µs, or the one after the last version if that is higher. So versions also grow when
 * the server has lost its data, or the latest of it, unless its clock went back meanwhile.
 *
 * Redis does not undo a script that fails in the middle: what can be refused is refused before the first change.
 */
import { createHash } from 'node:crypto';

export interface Script {
  readonly text: string;
  readonly sha: string;
}

const script = (body: string): Script => {
  const text = PRELUDE + body;
  return { text, sha: createHash('sha1').update(text).digest('hex') };
};

/**
 * KEYS: version, keys, expiries. ARGV: the time in ms, or '' for the server's own; what all entries begin with.
 * Every script answers with the time first.
 */
const PRELUDE = `
local time = redis.call('TIME')
local micros = time[1] * 1000000 + time[2]
local clock = tonumber(ARGV[1]) or micros / 1000
local now = math.floor(clock)

local function text(number)
  return string.format('%.0f', number)
end

-- The version of an entry that lives, and when it expires.
local function alive(name)
  local head = redis.call('GETRANGE', name, 0, 39)
  if head == '' then return nil end
  local version, expires = string.match(head, '^(%d+):(%d*):')
  if not version then error('WRONGTYPE This is no entry of the store.') end
  expires = tonumber(expires)
  if expires and expires <= now then return nil end
  return tonumber(version), expires
end

local function nextVersion()
  local last = redis.call('GET', KEYS[1])
  if last and not string.match(last, '^%d+$') then error('WRONGTYPE This is no version.') end
  local version = math.max(micros, tonumber(last or 0) + 1)
  if version > 9007199254740991 then error('ERR There are no more versions.') end
  return version
end

local function expired(most)
  return redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now, 'LIMIT', 0, most)
end

local function drop(keys, but)
  for _, key in ipairs(keys) do
    if key ~= but then
      redis.call('DEL', ARGV[2] .. key)
      redis.call('ZREM', KEYS[2], key)
      redis.call('ZREM', KEYS[3], key)
    end
  end
end
`;

/** ARGV: key. Gives the entry, if it lives. */
export const GET = script(`
local name = ARGV[2] .. ARGV[3]
if not alive(name) then return {now} end
return {now, redis.call('GET', name)}
`);

/**
 * ARGV: key, expected version, JSON, time to live in ms or '', channel, token. Gives version and expiry, when it has
 * written. Each write drops more expired entries than it can add. Before the DELs comes a command that needs memory, so
 * that a server that has none refuses.
 */
export const SWAP = script(`
local key = ARGV[3]
local name = ARGV[2] .. key
if (alive(name) or 0) ~= tonumber(ARGV[4]) then return {now} end
local version = text(nextVersion())
local ttl = tonumber(ARGV[6])
local expires = ttl and text(math.ceil(clock + ttl)) or ''
local dead = expired(2)
redis.call('ZSCORE', KEYS[2], key)
redis.call('PUBLISH', ARGV[7], ARGV[8] .. ':' .. version .. ':' .. key)
redis.call('SET', name, version .. ':' .. expires .. ':' .. ARGV[5])
redis.call('SET', KEYS[1], version)
redis.call('ZADD', KEYS[2], 0, key)
if ttl then
  -- So that it goes when no client is there any more; by another clock than the server's that cannot be.
  if ARGV[1] == '' then redis.call('PEXPIREAT', name, expires) end
  redis.call('ZADD', KEYS[3], expires, key)
else
  redis.call('ZREM', KEYS[3], key)
end
drop(dead, key)
return {now, version, expires}
`);

/** ARGV: key, expected version or '', channel, token. Gives whether it has deleted. */
export const DELETE = script(`
local key = ARGV[3]
local version = alive(ARGV[2] .. key)
if not version or (ARGV[4] ~= '' and version ~= tonumber(ARGV[4])) then return {now, 0} end
local stamp = text(nextVersion())
redis.call('ZSCORE', KEYS[2], key)
redis.call('ZSCORE', KEYS[3], key)
redis.call('PUBLISH', ARGV[5], ARGV[6] .. ':' .. stamp .. ':' .. key)
drop({key})
redis.call('SET', KEYS[1], stamp)
return {now, 1}
`);

/**
 * ARGV: bounds as ZRANGEBYLEX takes them, most entries, most bytes. Gives the key to go on behind, or nothing at the
 * end, and then key and entry by turns. Keys whose entries are gone are dropped.
 */
export const LIST = script(`
local most = tonumber(ARGV[5])
local batch = math.max(most, 100)
local keys = redis.call('ZRANGEBYLEX', KEYS[2], ARGV[3], ARGV[4], 'LIMIT', 0, batch)
local found = {now, false}
local count, bytes, gone = 0, 0, {}
for at, key in ipairs(keys) do
  local name = ARGV[2] .. key
  if alive(name) then
    local entry = redis.call('GET', name)
    found[#found + 1] = key
    found[#found + 1] = entry
    count = count + 1
    bytes = bytes + #entry
  elseif redis.call('EXISTS', name) == 0 then
    gone[#gone + 1] = key
  end
  if count == most or bytes > tonumber(ARGV[6]) or at == batch then
    found[2] = key
    break
  end
end
drop(gone)
return found
`);

/** ARGV: how many at most. Gives how many expired entries it has dropped. */
export const SWEEP = script(`
local dead = expired(tonumber(ARGV[3]))
drop(dead)
return {now, #dead}
`);
