---Breakpoints: on lines (a sign beside them), on functions, on data. They outlive a session, and are sent to the
---built-in stepper's adapter or to one that nvim-dap drives.

---@class cwm.Breakpoints
---@field functions { name: string, condition?: string }[]
---@field data { dataId: string, description: string }[]
local Breakpoints = { functions = {}, data = {} }

local namespace = vim.api.nvim_create_namespace('cwm.breakpoints')

---Sets or removes a breakpoint on a line of a buffer (by default the cursor's).
---@param condition? string
---@param buffer? integer
---@param line? integer from 1
---@return boolean set
function Breakpoints.toggle(condition, buffer, line)
  buffer = buffer or vim.api.nvim_get_current_buf()
  line = line or vim.api.nvim_win_get_cursor(0)[1]
  local there = vim.api.nvim_buf_get_extmarks(buffer, namespace, { line - 1, 0 }, { line - 1, -1 }, {})
  for _, mark in ipairs(there) do
    vim.api.nvim_buf_del_extmark(buffer, namespace, mark[1])
  end
  if #there > 0 and not condition then
    return false
  end
  local mark = vim.api.nvim_buf_set_extmark(buffer, namespace, line - 1, 0, {
    sign_text = condition and '◆' or '●',
    sign_hl_group = 'CwmBreakpoint',
    priority = 21,
  })
  vim.b[buffer].cwm_conditions = vim.tbl_extend('force', vim.b[buffer].cwm_conditions or {}, {
    ['m' .. mark] = condition or '',
  })
  return true
end

---@param buffer integer
---@return { line: integer, condition?: string }[]
function Breakpoints.lines(buffer)
  local conditions = vim.b[buffer].cwm_conditions or {}
  return vim.tbl_map(function(mark)
    local condition = conditions['m' .. mark[1]]
    return { line = mark[2] + 1, condition = condition ~= '' and condition or nil }
  end, vim.api.nvim_buf_get_extmarks(buffer, namespace, 0, -1, {}))
end

---Sets or removes a breakpoint on a function.
---@param name string
---@param condition? string
---@return boolean set
function Breakpoints:toggle_function(name, condition)
  for at, each in ipairs(self.functions) do
    if each.name == name then
      table.remove(self.functions, at)
      if not condition then
        return false
      end
      break
    end
  end
  table.insert(self.functions, { name = name, condition = condition })
  return true
end

---Has a session stop where a variable of the innermost call changes; a second time, not any more.
---@param session { request: fun(self, command: string, arguments: table, done: fun(problem: any, body: table)) }
---@param name string
---@param frame? integer
---@param done fun(words: string)
function Breakpoints:toggle_data(session, name, frame, done)
  session:request('dataBreakpointInfo', { name = name, frameId = frame }, function(problem, info)
    if problem or not info or not info.dataId then
      local words = problem and (type(problem) == 'table' and problem.message or tostring(problem))
      done(words or (info and info.description) or 'that can not be watched')
      return
    end
    local kept = vim.tbl_filter(function(each)
      return each.dataId ~= info.dataId
    end, self.data)
    local set = #kept == #self.data
    if set then
      table.insert(kept, { dataId = info.dataId, description = info.description })
    end
    self.data = kept
    session:request('setDataBreakpoints', { breakpoints = self:data_list() }, function()
      done((set and 'stops when ' or 'no longer stops when ') .. info.description)
    end)
  end)
end

---@private
---@return table[]
function Breakpoints:data_list()
  return vim.tbl_map(function(each)
    return { dataId = each.dataId, accessType = 'write' }
  end, self.data)
end

---Sends all breakpoints; `done` is called when the adapter has answered.
---@param connection cwm.Connection
---@param path string
---@param done fun()
function Breakpoints:send(connection, path, done)
  local buffer = vim.fn.bufnr(vim.fn.fnameescape(path))
  local lines = buffer > 0 and Breakpoints.lines(buffer) or {}
  connection:request('setBreakpoints', { source = { path = path }, breakpoints = lines }, function()
    connection:request('setFunctionBreakpoints', { breakpoints = self.functions }, function()
      connection:request('setExceptionBreakpoints', { filters = { 'uncaught' } }, function()
        done()
      end)
    end)
  end)
end

---Sends what nvim-dap has no words for: it keeps line breakpoints itself.
---@param session { request: fun(self, command: string, arguments: table, done: fun()) }
function Breakpoints:send_extra(session)
  session:request('setFunctionBreakpoints', { breakpoints = self.functions }, function() end)
  session:request('setDataBreakpoints', { breakpoints = self:data_list() }, function() end)
end

---Sends the breakpoints of a file again after they changed within a session.
---@param connection cwm.Connection
---@param path string
function Breakpoints:resend(connection, path)
  local buffer = vim.fn.bufnr(vim.fn.fnameescape(path))
  local lines = buffer > 0 and Breakpoints.lines(buffer) or {}
  connection:request('setBreakpoints', { source = { path = path }, breakpoints = lines })
  connection:request('setFunctionBreakpoints', { breakpoints = self.functions })
end

return Breakpoints
