-- Runs first in every state: makes Lua's own library deterministic. A recipe has to say the same on every machine and
-- on every day, and Lua keeps tables in an order that differs from run to run.

local next, type, error, getmetatable, tostring, gsub = next, type, error, getmetatable, tostring, string.gsub
local sort = table.sort

local rank = { boolean = 1, number = 2, string = 3 }

local function before(a, b)
  local kind_a, kind_b = type(a), type(b)
  if kind_a ~= kind_b then return rank[kind_a] < rank[kind_b] end
  if kind_a == "boolean" then return b and not a end
  return a < b
end

local function sorted_keys(t)
  local keys, count = {}, 0
  for key in next, t do
    if not rank[type(key)] then
      error("`pairs` cannot put keys in order that are neither strings, numbers nor booleans", 3)
    end
    count = count + 1
    keys[count] = key
  end
  sort(keys, before)
  return keys
end

--- Walks a table in the order of its keys: false, true, numbers, strings.
function pairs(t)
  local meta = getmetatable(t)
  local custom = type(meta) == "table" and meta.__pairs
  if custom then return custom(t) end
  if type(t) ~= "table" then error("`pairs` needs a table, found " .. type(t), 2) end
  local keys, at = sorted_keys(t), 0
  return function()
    while true do
      at = at + 1
      local key = keys[at]
      if key == nil then return nil end
      local value = t[key]
      if value ~= nil then return key, value end
    end
  end, t, nil
end

-- `next(t) == nil` asks whether a table is empty; going on from a key would follow Lua's own order.
local first = next
function _G.next(t, key)
  if key ~= nil then error("`next` tells only whether a table is empty; walk it with `pairs`", 2) end
  return first(t)
end

-- Addresses differ from run to run.
function _G.tostring(value)
  return (gsub(tostring(value), "^(%a+): 0x%x+$", "%1"))
end

math.random, math.randomseed, string.dump = nil, nil, nil
load, loadfile, dofile, collectgarbage, print, warn = nil, nil, nil, nil, nil, nil
