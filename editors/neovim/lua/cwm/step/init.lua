---Stepping through a predicted run: by nvim-dap if it is there, else by the stepper built in here.
local config = require('cwm.config')
local server = require('cwm.server')
local M = {}

---@type { session: cwm.Session, view: cwm.View, keys: { [1]: integer, [2]: string }[] }?
local current

---The built-in stepper's session, while there is one.
---@return cwm.Session?
function M.session()
  return current and current.session
end

---@return cwm.View?
function M.view()
  return current and current.view
end

---@return boolean
function M.uses_nvim_dap()
  local wanted = config.options.stepper
  return wanted == 'nvim-dap' or (wanted == 'auto' and (pcall(require, 'dap')))
end

---How a debug adapter is started.
---@return string[]?
function M.adapter_command()
  local command = server.find()
  return command and vim.list_extend(vim.list_extend({}, command), { 'dap' })
end

---Predicts a call, if that is still to be done, and begins to step through it.
---@param asked? { uri?: string, position?: lsp.Position, function?: string, call?: string }
function M.start(asked)
  asked = asked or server.here()
  local buffer = asked.uri and vim.uri_to_bufnr(asked.uri) or vim.api.nvim_get_current_buf()
  server.command('cwm.debugConfiguration', asked, function(configuration)
    configuration.stopOnEntry = true
    configuration.stopOnExit = true
    M.debug(configuration, buffer)
  end, buffer)
end

---Debugs as a configuration says.
---@param configuration table
---@param buffer? integer
function M.debug(configuration, buffer)
  if M.uses_nvim_dap() then
    require('cwm.nvim_dap').run(configuration)
    return
  end
  local command = M.adapter_command()
  if not command then
    server.say(server.missing, vim.log.levels.ERROR)
    return
  end
  M.stop()
  if not buffer then
    buffer = vim.fn.bufadd(configuration.program)
    vim.fn.bufload(buffer)
  end
  local Session = require('cwm.step.session')
  local View = require('cwm.step.view')
  local view = View.new(buffer)
  local session = Session.start(command, configuration, require('cwm.step.breakpoints'), function(session)
    if current and current.session == session then
      view:show(session)
      vim.api.nvim_exec_autocmds('User', { pattern = 'CwmStep', modeline = false })
    end
  end, function(session)
    if current and current.session == session then
      M.stop()
    end
  end)
  current = { session = session, view = view, keys = {} }
  M.map_keys()
  view:show(session)
end

---Ends stepping.
function M.stop()
  local ending = current
  current = nil
  if not ending then
    return
  end
  for _, key in ipairs(ending.keys) do
    pcall(vim.keymap.del, 'n', key[2], { buffer = key[1] })
  end
  ending.session:stop()
  ending.view:close()
  vim.api.nvim_exec_autocmds('User', { pattern = 'CwmStepEnd', modeline = false })
end

---@param how 'over'|'into'|'out'|'back'|'continue'|'reverse'
function M.move(how)
  if current then
    current.view:fold()
    current.session:move(how)
  else
    server.say('nothing is stepped through (:Cwm step begins).', vim.log.levels.WARN)
  end
end

---Changes a variable: the one that is named, or that is under the cursor.
---@param name? string
---@param value? string
function M.change(name, value)
  if not current then
    server.say('nothing is stepped through (:Cwm step begins).', vim.log.levels.WARN)
    return
  end
  local session, view = current.session, current.view
  if not name and vim.api.nvim_get_current_buf() == view.side then
    local entry = view:entry()
    name = entry and entry.variable and (entry.variable.evaluateName or entry.variable.name)
  elseif not name then
    name = vim.fn.expand('<cword>')
  end
  if not name or name == '' then
    return
  end
  if value then
    session:change(name, value)
    return
  end
  session:evaluate(name, function(problem, result)
    if problem then
      server.say(problem, vim.log.levels.WARN)
      return
    end
    local bare = result or ''
    for _, mark in ipairs({ '≈ ', '= ', '✎ ', '✓ ' }) do
      if vim.startswith(bare, mark) then
        bare = bare:sub(#mark + 1)
        break
      end
    end
    vim.ui.input({ prompt = name .. ' = ', default = bare }, function(typed)
      if typed and typed ~= '' and current then
        current.session:change(name, typed)
      end
    end)
  end)
end

local side_keys = {
  o = 'over',
  i = 'into',
  u = 'out',
  b = 'back',
  c = 'continue',
  r = 'reverse',
}

---The keys of the file (configured) and of the side window (single letters).
function M.map_keys()
  if not current then
    return
  end
  local session, view = current.session, current.view
  local function map(buffer, key, does, what)
    if key and key ~= '' then
      vim.keymap.set('n', key, does, { buffer = buffer, nowait = true, desc = 'cwm: ' .. what })
      table.insert(current.keys, { buffer, key })
    end
  end
  local extra = {
    change = M.change,
    stop = M.stop,
    restart = function()
      session:restart()
    end,
  }
  local keys = config.options.step_keys
  for what, key in pairs(keys or {}) do
    local does = extra[what] or function()
      M.move(what)
    end
    map(view.source, key, does, what)
    map(view.side, key, does, what)
  end
  for key, what in pairs(side_keys) do
    map(view.side, key, function()
      M.move(what)
    end, what)
  end
  map(view.side, '=', function()
    M.change()
  end, 'change')
  map(view.side, 'q', M.stop, 'stop')
  map(view.side, '<CR>', function()
    view:enter(session)
  end, 'parts, or jump')
end

return M
