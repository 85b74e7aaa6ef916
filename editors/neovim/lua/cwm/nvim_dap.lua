---nvim-dap, if it is there: our adapter and configurations, and what it has no commands for.
local M = {}

---Registers the adapter `cwm` and a configuration for Python files. Does nothing without nvim-dap.
---@return boolean
function M.register()
  local found, dap = pcall(require, 'dap')
  if not found then
    return false
  end
  local step = require('cwm.step')
  dap.adapters.cwm = function(ready)
    local command = step.adapter_command()
    if not command then
      require('cwm.server').say(require('cwm.server').missing, vim.log.levels.ERROR)
      return
    end
    ready({
      type = 'executable',
      command = command[1],
      args = vim.list_slice(command, 2),
      options = { initialize_timeout_sec = 20 },
    })
  end
  dap.configurations.python = dap.configurations.python or {}
  local there = vim.iter(dap.configurations.python):any(function(each)
    return each.type == 'cwm'
  end)
  if not there then
    table.insert(dap.configurations.python, {
      type = 'cwm',
      request = 'launch',
      name = 'cwm: predict this file',
      program = '${file}',
      stopOnEntry = true,
      stopOnExit = true,
    })
    table.insert(dap.configurations.python, {
      type = 'cwm',
      request = 'launch',
      name = 'cwm: predict a call…',
      program = '${file}',
      call = function()
        return vim.fn.input('Call: ')
      end,
      stopOnEntry = true,
      stopOnExit = true,
    })
  end
  dap.listeners.after.event_initialized.cwm = function(session)
    if session.config and session.config.type == 'cwm' then
      require('cwm.step.breakpoints'):send_extra(session)
    end
  end
  return true
end

---@param configuration table
function M.run(configuration)
  M.register()
  require('dap').run(configuration)
end

---The session of nvim-dap, if it is one of ours.
---@return table?
function M.session()
  local found, dap = pcall(require, 'dap')
  local session = found and dap.session() or nil
  return session and session.config and session.config.type == 'cwm' and session or nil
end

local movements = {
  over = 'step_over',
  into = 'step_into',
  out = 'step_out',
  back = 'step_back',
  continue = 'continue',
  reverse = 'reverse_continue',
  restart = 'restart_frame',
  stop = 'terminate',
}

---@param how string
---@return boolean moved
function M.move(how)
  if not M.session() then
    return false
  end
  require('dap')[movements[how]]()
  return true
end

---@param name string
---@param value string
function M.change(name, value)
  local session = M.session()
  local frame = session and session.current_frame
  if not session or not frame then
    return
  end
  session:request('setExpression', { expression = name, value = value, frameId = frame.id }, function(problem)
    if problem then
      require('cwm.server').say(problem.message or tostring(problem), vim.log.levels.WARN)
    else
      session:_request_scopes(frame)
    end
  end)
end

return M
