---One run that is stepped through with the built-in stepper: its state, its movements, its changes.
---How it looks is view.lua's.
local Connection = require('cwm.step.connection')

---@class cwm.Variable
---@field name string
---@field value string with its mark
---@field type? string
---@field variablesReference integer
---@field evaluateName? string

---@class cwm.StackFrame
---@field id integer
---@field name string
---@field line integer
---@field source? { path?: string, sourceReference?: integer }

---@class cwm.Session
---@field connection cwm.Connection
---@field configuration table
---@field capabilities table
---@field state 'starting'|'running'|'stopped'|'ended'
---@field reason string why it stopped
---@field stack cwm.StackFrame[]
---@field locals cwm.Variable[] of the innermost call
---@field locals_reference integer
---@field prediction cwm.Variable[]
---@field before table<string, string> the values of the same call at the stop before
---@field console string[]
---@field on_change fun(session: cwm.Session)
---@field on_end fun(session: cwm.Session)
local Session = {}
Session.__index = Session

local THREAD = 1

---@param command string[] how the adapter is started
---@param configuration table as in launch.json
---@param breakpoints cwm.Breakpoints
---@param on_change fun(session: cwm.Session)
---@param on_end fun(session: cwm.Session)
---@return cwm.Session
function Session.start(command, configuration, breakpoints, on_change, on_end)
  local self = setmetatable({
    configuration = configuration,
    capabilities = {},
    state = 'starting',
    reason = '',
    stack = {},
    locals = {},
    locals_reference = 0,
    prediction = {},
    before = {},
    console = {},
    on_change = on_change,
    on_end = on_end,
  }, Session)
  self.connection = Connection.open(command, function(name, body)
    self:event(name, body, breakpoints)
  end, function(words)
    if self.state ~= 'ended' then
      self:fail(words ~= '' and words or 'the debug adapter has ended')
    end
  end)
  self.connection:request('initialize', {
    clientID = 'neovim',
    clientName = 'Neovim (cwm)',
    adapterID = 'cwm',
    linesStartAt1 = true,
    columnsStartAt1 = true,
    pathFormat = 'path',
    supportsVariableType = true,
    supportsInvalidatedEvent = true,
  }, function(problem, body)
    if problem then
      self:fail(problem)
      return
    end
    self.capabilities = body
    self.connection:request(configuration.request or 'launch', configuration, function(refused)
      if refused then
        self:fail(refused)
      end
    end)
  end)
  return self
end

---@private
---@param words string
function Session:fail(words)
  self.console[#self.console + 1] = words
  vim.notify('cwm: ' .. words, vim.log.levels.ERROR)
  self:stop()
end

---@private
---@param name string
---@param body table
---@param breakpoints cwm.Breakpoints
function Session:event(name, body, breakpoints)
  if self.state == 'ended' then
    return
  elseif name == 'initialized' then
    breakpoints:send(self.connection, self.configuration.program, function()
      self.connection:request('configurationDone')
    end)
  elseif name == 'stopped' then
    self.reason = body.description or body.reason or ''
    self:refresh()
  elseif name == 'output' then
    for line in vim.gsplit(vim.trim(body.output or ''), '\n', { plain = true }) do
      self.console[#self.console + 1] = line
    end
    self.on_change(self)
  elseif name == 'invalidated' then
    self:refresh()
  elseif name == 'terminated' then
    self:stop()
  end
end

---Reads the stack and the variables of the stop, and shows them.
function Session:refresh()
  self.connection:request('stackTrace', { threadId = THREAD }, function(problem, answer)
    if problem or not answer.stackFrames or not answer.stackFrames[1] then
      return
    end
    local top = answer.stackFrames[1]
    self.connection:request('scopes', { frameId = top.id }, function(_, scopes)
      local left = #(scopes.scopes or {})
      local found = {}
      for _, scope in ipairs(scopes.scopes or {}) do
        self.connection:request('variables', { variablesReference = scope.variablesReference }, function(_, read)
          found[scope.name] = { scope.variablesReference, read.variables or {} }
          left = left - 1
          if left == 0 then
            self:arrived(answer.stackFrames, found)
          end
        end)
      end
    end)
  end)
end

---@private
---@param stack cwm.StackFrame[]
---@param scopes table<string, { [1]: integer, [2]: cwm.Variable[] }>
function Session:arrived(stack, scopes)
  local same = self.stack[1] and self.stack[1].name == stack[1].name and #self.stack == #stack
  self.before = {}
  if same then
    for _, variable in ipairs(self.locals) do
      self.before[variable.name] = variable.value
    end
  end
  self.stack = stack
  local locals = scopes.Locals or { 0, {} }
  self.locals_reference, self.locals = locals[1], locals[2]
  self.prediction = (scopes.Prediction or { 0, {} })[2]
  self.state = 'stopped'
  self.on_change(self)
end

---True if a variable has another value than at the stop before.
---@param variable cwm.Variable
---@return boolean
function Session:changed(variable)
  return next(self.before) ~= nil and self.before[variable.name] ~= variable.value
end

local movements = {
  over = 'next',
  into = 'stepIn',
  out = 'stepOut',
  back = 'stepBack',
  continue = 'continue',
  reverse = 'reverseContinue',
}

---@param how 'over'|'into'|'out'|'back'|'continue'|'reverse'
function Session:move(how)
  if self.state ~= 'stopped' then
    return
  end
  self.state = 'running'
  self.connection:request(movements[how], { threadId = THREAD }, function(problem)
    if problem then
      self.state = 'stopped'
      vim.notify('cwm: ' .. problem, vim.log.levels.WARN)
    end
  end)
end

---Begins a call of the stack anew.
---@param frame? cwm.StackFrame
function Session:restart(frame)
  frame = frame or self.stack[1]
  if self.state == 'stopped' and frame then
    self.state = 'running'
    self.connection:request('restartFrame', { frameId = frame.id }, function(problem)
      if problem then
        self.state = 'stopped'
        vim.notify('cwm: ' .. problem, vim.log.levels.WARN)
      end
    end)
  end
end

---Gives a variable another value: from there on, another run is predicted.
---@param name string a variable, or a part of one (`numbers[0]`)
---@param value string an expression
---@param done? fun(problem: string?)
function Session:change(name, value, done)
  local frame = self.stack[1]
  local asked = { expression = name, value = value, frameId = frame and frame.id }
  self.connection:request('setExpression', asked, function(problem)
    if problem then
      vim.notify('cwm: ' .. problem, vim.log.levels.WARN)
    else
      self:refresh()
    end
    if done then
      done(problem)
    end
  end)
end

---The parts of a variable.
---@param reference integer
---@param done fun(parts: cwm.Variable[])
function Session:parts(reference, done)
  self.connection:request('variables', { variablesReference = reference, count = 100 }, function(_, body)
    done(body.variables or {})
  end)
end

---@param expression string
---@param done fun(problem: string?, result: string?)
function Session:evaluate(expression, done)
  local frame = self.stack[1]
  local asked = { expression = expression, frameId = frame and frame.id, context = 'repl' }
  self.connection:request('evaluate', asked, function(problem, body)
    done(problem, body.result)
  end)
end

---Ends the session and the adapter.
function Session:stop()
  if self.state ~= 'ended' then
    self.state = 'ended'
    self.connection:close()
    self.on_end(self)
  end
end

return Session
