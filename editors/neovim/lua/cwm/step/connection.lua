---A debug adapter as a child process: requests, answers and events of the Debug Adapter Protocol.
---What they mean is session.lua's.

---@class cwm.Connection
---@field private process vim.SystemObj
---@field private sequence integer
---@field private waiting table<integer, fun(problem: string?, body: table)>
---@field private buffer string
---@field private on_event fun(name: string, body: table)
---@field private on_exit fun(words: string)
---@field closed boolean
local Connection = {}
Connection.__index = Connection

---What a refusal says.
---@param answer table
---@return string
local function sentence(answer)
  local problem = answer.body and answer.body.error
  local text = problem and problem.format or answer.message or 'the debug adapter refused'
  return (text:gsub('{(.-)}', problem and problem.variables or {}))
end

---@param command string[]
---@param on_event fun(name: string, body: table)
---@param on_exit fun(words: string) called once, with what the adapter wrote to stderr at the end
---@return cwm.Connection
function Connection.open(command, on_event, on_exit)
  local self = setmetatable({
    sequence = 0,
    waiting = {},
    buffer = '',
    on_event = on_event,
    on_exit = on_exit,
    closed = false,
  }, Connection)
  local words = ''
  self.process = vim.system(command, {
    stdin = true,
    text = false,
    stdout = function(_, data)
      if data then
        self:read(data)
      end
    end,
    stderr = function(_, data)
      words = (words .. (data or '')):sub(-2000)
    end,
  }, function()
    vim.schedule(function()
      local first = not self.closed
      self.closed = true
      for _, waiting in pairs(self.waiting) do
        waiting('the debug adapter has ended', {})
      end
      self.waiting = {}
      if first then
        self.on_exit(vim.trim(words))
      end
    end)
  end)
  return self
end

---Takes bytes as they come; whole messages are handed on in Neovim's main loop.
---@private
---@param data string
function Connection:read(data)
  self.buffer = self.buffer .. data
  while true do
    local _, header_end = self.buffer:find('\r\n\r\n', 1, true)
    if not header_end then
      return
    end
    local length = tonumber(self.buffer:sub(1, header_end):lower():match('content%-length:%s*(%d+)'))
    if not length then
      self.buffer = self.buffer:sub(header_end + 1)
    elseif #self.buffer < header_end + length then
      return
    else
      local body = self.buffer:sub(header_end + 1, header_end + length)
      self.buffer = self.buffer:sub(header_end + length + 1)
      vim.schedule(function()
        local read, message = pcall(vim.json.decode, body, { luanil = { object = true, array = true } })
        if read and type(message) == 'table' then
          self:take(message)
        end
      end)
    end
  end
end

---@private
---@param message table
function Connection:take(message)
  if message.type == 'event' then
    self.on_event(message.event, message.body or {})
  elseif message.type == 'response' then
    local waiting = self.waiting[message.request_seq]
    self.waiting[message.request_seq] = nil
    if waiting then
      waiting(not message.success and sentence(message) or nil, message.body or {})
    end
  elseif message.type == 'request' then
    self:write({ type = 'response', request_seq = message.seq, success = false, command = message.command })
  end
end

---@private
---@param message table
function Connection:write(message)
  if self.closed then
    return
  end
  self.sequence = self.sequence + 1
  message.seq = self.sequence
  local body = vim.json.encode(message)
  self.process:write(('Content-Length: %d\r\n\r\n%s'):format(#body, body))
end

---Asks the adapter. `done` gets one sentence if it refuses, and the body of its answer.
---@param command string
---@param arguments? table
---@param done? fun(problem: string?, body: table)
function Connection:request(command, arguments, done)
  done = done or function() end
  if self.closed then
    done('the debug adapter has ended', {})
    return
  end
  self:write({ type = 'request', command = command, arguments = arguments or vim.empty_dict() })
  self.waiting[self.sequence] = done
end

---Ends the adapter; it is given a moment to end by itself.
function Connection:close()
  if self.closed then
    return
  end
  self:request('disconnect', {})
  self.closed = true
  local process = self.process
  vim.defer_fn(function()
    if not process:is_closing() then
      process:kill('sigterm')
    end
  end, 1000)
end

return Connection
