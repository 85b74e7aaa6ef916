-- What the tests look at, inside the editor: `Probe.hints()` and so on.
Probe = {}

local function marks(buffer, name)
  local namespace = vim.api.nvim_create_namespace(name)
  return vim.api.nvim_buf_get_extmarks(buffer, namespace, 0, -1, { details = true })
end

-- {line from 1, label} of each hint that is shown; nothing if there is none.
function Probe.hints()
  local found = vim.tbl_map(function(hint)
    return { hint.inlay_hint.position.line + 1, hint.inlay_hint.label }
  end, vim.lsp.inlay_hint.get({ bufnr = 0 }))
  return #found > 0 and found
end

-- The ghost text; nothing if there is none.
function Probe.ghost()
  local text = ''
  for _, mark in ipairs(marks(0, 'nvim.lsp.inline_completion')) do
    for _, part in ipairs(mark[4].virt_text or {}) do
      text = text .. part[1]
    end
  end
  return text ~= '' and text
end

-- The text of the floating window; nothing if there is none.
function Probe.float()
  for _, window in ipairs(vim.api.nvim_list_wins()) do
    if vim.api.nvim_win_get_config(window).relative ~= '' then
      return table.concat(vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(window), 0, -1, false), '\n')
    end
  end
end

-- {line from 1, sign, virtual text} of the stepper's marks in the file.
function Probe.signs()
  return vim.tbl_map(function(mark)
    return { mark[2] + 1, vim.trim(mark[4].sign_text or ''), mark[4].virt_text or {} }
  end, marks(vim.fn.bufnr('strawberry.py'), 'cwm.step'))
end

-- Child processes whose name has "cwm" in it.
function Probe.children()
  return vim.tbl_filter(function(process)
    local known = vim.api.nvim_get_proc(process)
    return known ~= nil and known.name:find('cwm') ~= nil
  end, vim.api.nvim_get_proc_children(vim.fn.getpid()))
end

-- Takes the first of what is offered from now on, and remembers how it was shown in Probe.shown.
function Probe.choose_first()
  vim.ui.select = function(items, options, done)
    Probe.shown = vim.tbl_map(options.format_item, items)
    done(items[1])
  end
end

function Probe.stopped()
  local session = require('cwm.step').session()
  return session ~= nil and session.state == 'stopped'
end

-- Counts the stepper's stops.
Probe.stops = 0
vim.api.nvim_create_autocmd('User', {
  pattern = 'CwmStep',
  callback = function()
    if Probe.stopped() then
      Probe.stops = Probe.stops + 1
    end
  end,
})

-- True if a variable of the innermost call has this value.
function Probe.holds(value)
  return vim.iter(require('cwm.step').session().locals):any(function(variable)
    return variable.value == value
  end)
end

-- The line on which nvim-dap's session stands; nothing while it moves.
function Probe.dap_line()
  local session = require('dap').session()
  return session and session.current_frame and session.current_frame.line
end

-- True if a variable of that frame has this value.
function Probe.dap_holds(name, value)
  for _, scope in ipairs(require('dap').session().current_frame.scopes or {}) do
    for _, variable in pairs(scope.variables or {}) do
      if variable.name == name and variable.value == value then
        return true
      end
    end
  end
  return false
end

function Probe.dap_configurations()
  return vim.tbl_map(function(each)
    return each.name
  end, require('dap').configurations.python)
end
