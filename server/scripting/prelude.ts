/**
 * What scripts find in place of Lua's globals, in Lua. Redis has changed its Lua so that tables can be made read-only;
 * here such a table is an empty one in front of the real one, which its metatable guards (`readonly`).
 *
 * A script gives the others their turn from within a hook, by a yield, which Lua 5.1 allows where no function of C waits
 * for Lua to come back. So `pcall` and `xpcall` are made of coroutines here, and whoever resumes a coroutine hands such a
 * yield (`paused()`) on to whoever resumed him, and takes up again where it was (`drive`).
 */
export const PRELUDE = `
local host = ...
local error, type, tostring, select, getmetatable, setmetatable =
  error, type, tostring, select, getmetatable, setmetatable
local create, resume, yield, running, status =
  coroutine.create, coroutine.resume, coroutine.yield, coroutine.running, coroutine.status
local concat = table.concat
local paused, mayyield, loadstring, native, apply =
  host.paused, host.mayyield, host.loadstring, host.native, host.apply

local behind = {}
local sealed = {}
behind[sealed] = {}

local function refuse()
  error('Attempt to modify a readonly table', 2)
end

local function readonly(real)
  local front = {}
  behind[front] = real
  return setmetatable(front, { __index = real, __newindex = refuse, __metatable = sealed })
end
setmetatable(sealed, { __newindex = refuse, __metatable = sealed })

local function absent(_, name)
  error("Script attempted to access nonexistent global variable '" .. tostring(name) .. "'", 2)
end

-- what the coroutine that runs is: the script itself, a protected call, or one that the script made
local inside = 'script'

local function back(outer, ok, ...)
  inside = outer
  return ok, ...
end

local function drive(outer, co, ok, ...)
  if ok and paused() then
    -- false: a function of C waits for Lua here, so it goes on at once
    if mayyield() then yield() end
    return drive(outer, co, resume(co))
  end
  return back(outer, ok, ...)
end

local function enter(kind, co, ...)
  local outer = inside
  inside = kind
  return drive(outer, co, resume(co, ...))
end

local function caught(ok, ...)
  if ok then return ok, ... end
  local thrown = ...
  if type(thrown) == 'table' and type(thrown.err) == 'string' then return false, thrown.err end
  return ok, ...
end

-- a coroutine is made of a function of Lua
local function called(run)
  if type(run) == 'function' then
    if native(run) then return function(...) return apply(run, ...) end end
    return run
  end
  local meta = getmetatable(run)
  if type(meta) == 'table' and meta.__call then return function(...) return run(...) end end
  return function() error('attempt to call a ' .. type(run) .. ' value', 0) end
end

local function pcall(...)
  if select('#', ...) == 0 then error("bad argument #1 to 'pcall' (value expected)", 2) end
  local run = ...
  local co = create(called(run))
  return caught(enter('call', co, select(2, ...)))
end

local function handled(handler, ok, ...)
  if ok then return true, ... end
  return false, handler(...)
end

local function xpcall(run, handler)
  return handled(handler, enter('call', create(called(run))))
end

local coroutines = {}
coroutines.create = create
coroutines.status = status

function coroutines.running()
  return inside == 'coroutine' and running() or nil
end

function coroutines.yield(...)
  if inside ~= 'coroutine' then error('attempt to yield across metamethod/C-call boundary', 0) end
  return yield(...)
end

function coroutines.resume(co, ...)
  if type(co) ~= 'thread' then return resume(co, ...) end
  return enter('coroutine', co, ...)
end

local function unwrap(ok, ...)
  if ok then return ... end
  local thrown = ...
  error(thrown, type(thrown) == 'string' and 3 or 0)
end

function coroutines.wrap(run)
  local co = create(run)
  return function(...) return unwrap(enter('coroutine', co, ...)) end
end

local function load(read, name)
  local pieces = {}
  while true do
    local piece = read()
    if piece == nil or piece == '' then break end
    if type(piece) ~= 'string' then return nil, 'reader function must return a string' end
    pieces[#pieces + 1] = piece
  end
  return loadstring(concat(pieces), name or '=(load)')
end

-- what every script may use
local function common()
  local globals = {}
  for _, name in ipairs({ 'tostring', 'next', 'assert', 'rawequal', 'collectgarbage', 'type',
      'select', 'unpack', 'gcinfo', 'ipairs', '_VERSION', 'error' }) do
    globals[name] = _G[name]
  end
  globals.pcall, globals.xpcall, globals.load, globals.loadstring = pcall, xpcall, load, loadstring
  globals.pairs, globals.setmetatable = host.pairs, host.setmetatable
  globals.rawset, globals.rawget, globals.getmetatable = host.rawset, host.rawget, getmetatable
  globals.coroutine = readonly(coroutines)
  globals.tonumber = host.tonumber
  for _, name in ipairs({ 'string', 'math', 'table' }) do globals[name] = readonly(_G[name]) end
  for name, library in pairs(host.libraries) do globals[name] = readonly(library) end
  return globals
end

local function copy(from, more)
  local to = {}
  for name, value in pairs(from) do to[name] = value end
  for name, value in pairs(more) do to[name] = value end
  return to
end

math.random, math.randomseed, string.format = host.random, host.randomseed, host.format
string.find, string.match, string.gmatch, string.gsub = host.find, host.match, host.gmatch, host.gsub
string.gfind = host.gmatch

local strings = getmetatable('')
strings.__metatable = readonly(strings)

local missing = { __index = absent, __metatable = sealed }
local scripts = setmetatable(common(), missing)
scripts.redis = readonly(copy(host.redis, host.evaluating))
local functions = setmetatable(common(), missing)
functions.redis = readonly(host.redis)
local loading = setmetatable({ redis = readonly(setmetatable(host.loading, missing)) }, missing)

local globals = {}
behind[globals] = scripts
local guard = { __index = scripts, __newindex = refuse, __metatable = sealed }
setmetatable(globals, guard)
scripts._G, functions._G = globals, globals

local function reset() inside = 'script' end

return globals, guard, scripts, functions, loading, behind, reset
`;
