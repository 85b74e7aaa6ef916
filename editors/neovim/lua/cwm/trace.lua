---Traces as text, other calls, and what-if.
local server = require('cwm.server')
local M = {}

---Shows the text of a trace in a window of its own.
---@param shown { call: string, text: string }
local function open(shown)
  local buffer = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_lines(buffer, 0, -1, false, vim.split(shown.text, '\n'))
  vim.bo[buffer].modifiable = false
  vim.bo[buffer].bufhidden = 'wipe'
  vim.bo[buffer].filetype = 'cwmtrace'
  pcall(vim.api.nvim_buf_set_name, buffer, ('cwm-trace:%d/%s'):format(buffer, shown.call))
  vim.cmd.split({ mods = { split = 'belowright' } })
  vim.api.nvim_win_set_buf(0, buffer)
  vim.wo[0][0].number = false
  vim.wo[0][0].spell = false
  vim.keymap.set('n', 'q', '<Cmd>close<CR>', { buffer = buffer, desc = 'close the trace' })
end

---The trace of the function at the cursor, or of a call that is given.
---@param call? string
function M.show(call)
  local here = server.here()
  if not call then
    server.command('cwm.showTrace', vim.tbl_extend('force', here, { quiet = true }), open)
    return
  end
  server.command('cwm.traceWith', { uri = here.uri, call = call }, function(summary)
    if summary and summary ~= vim.NIL then
      server.command('cwm.showTrace', { uri = here.uri, trace = summary.trace, quiet = true }, open)
    end
  end)
end

---Asks for another call of a function, which is traced from then on.
---@param asked { uri: string, ['function']: string, calls: string[] }
function M.other_call(asked)
  local function take(call)
    if call and call ~= '' then
      server.command('cwm.traceWith', { uri = asked.uri, call = call })
    end
  end
  local function typed()
    local first = asked.calls and asked.calls[1] or (asked['function'] .. '()')
    vim.ui.input({ prompt = 'Call: ', default = first }, take)
  end
  if not asked.calls or #asked.calls == 0 then
    typed()
    return
  end
  local choices = vim.list_extend({}, asked.calls)
  table.insert(choices, 'another…')
  vim.ui.select(
    choices,
    { prompt = 'Which call of ' .. asked['function'] .. ' is to be traced?' },
    function(choice, index)
      if index == #choices then
        typed()
      else
        take(choice)
      end
    end
  )
end

---The trace in which a variable held another value on the cursor's line.
---@param name string
---@param value string
---@param run? integer which time the line runs, from 1
function M.what_if(name, value, run)
  local asked = vim.tbl_extend('force', server.here(), { name = name, value = value, run = run or 1, quiet = true })
  server.command('cwm.whatIf', asked, function(summary)
    open(summary.document)
  end)
end

return M
