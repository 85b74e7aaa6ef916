---The subcommands of `:Cwm`, and their completion.
local server = require('cwm.server')
local M = {}

---@class cwm.Subcommand
---@field help string
---@field run fun(rest: string, bang: boolean)
---@field complete? fun(rest: string): string[]

local function cursor_function()
  return vim.fn.expand('<cword>')
end

---@param how string
---@return fun()
local function movement(how)
  return function()
    if not require('cwm.nvim_dap').move(how) then
      if how == 'stop' then
        require('cwm.step').stop()
      elseif how == 'restart' then
        local session = require('cwm.step').session()
        if session then
          session:restart()
        end
      else
        require('cwm.step').move(how)
      end
    end
  end
end

---`name = value` in two parts.
---@param rest string
---@return string? name
---@return string? value
local function assignment(rest)
  local name, value = rest:match('^%s*([^=]-)%s*=%s*(.+)$')
  if not name or name == '' then
    server.say('give it as  name = value', vim.log.levels.WARN)
    return nil
  end
  return name, value
end

---Names that stand in the buffer, for completion.
---@return string[]
local function buffer_names()
  local seen = {}
  for _, line in ipairs(vim.api.nvim_buf_get_lines(0, 0, 2000, false)) do
    for name in line:gmatch('%f[%w_][%a_][%w_]*') do
      seen[name] = true
    end
  end
  return vim.tbl_keys(seen)
end

---@return string[]
local function function_names()
  local found = {}
  for _, line in ipairs(vim.api.nvim_buf_get_lines(0, 0, -1, false)) do
    local name = line:match('^%s*def%s+([%w_]+)') or line:match('^%s*async%s+def%s+([%w_]+)')
    if name then
      found[#found + 1] = name
    end
  end
  return found
end

---@return string[]
local function calls()
  return vim.tbl_map(function(name)
    return name .. '('
  end, function_names())
end

---@return string[]
local function models()
  local command = server.find()
  if not command then
    return {}
  end
  local listing = vim.system(vim.list_extend(vim.list_extend({}, command), { 'models', 'list', '--json' })):wait(10000)
  local names = {}
  for line in vim.gsplit(listing.stdout or '', '\n', { trimempty = true }) do
    local read, model = pcall(vim.json.decode, line)
    if read and type(model) == 'table' and model.name then
      names[#names + 1] = model.name
    end
  end
  return names
end

---@param text string
---@param filetype string
local function float(text, filetype)
  vim.lsp.util.open_floating_preview(vim.split(text, '\n'), filetype, { border = 'rounded', focus_id = 'cwm' })
end

---@type table<string, cwm.Subcommand>
M.subcommands = {
  trace = {
    help = 'the trace of the function at the cursor, or of a call: :Cwm trace f(1, 2)',
    run = function(rest)
      require('cwm.trace').show(rest ~= '' and rest or nil)
    end,
    complete = calls,
  },
  step = {
    help = 'step through the function at the cursor, or a call, as predicted',
    run = function(rest)
      local here = server.here()
      require('cwm.step').start(rest ~= '' and { uri = here.uri, call = rest } or here)
    end,
    complete = calls,
  },
  over = { help = 'step over', run = movement('over') },
  into = { help = 'step into', run = movement('into') },
  out = { help = 'step out', run = movement('out') },
  back = { help = 'step back', run = movement('back') },
  continue = { help = 'continue', run = movement('continue') },
  reverse = { help = 'continue backwards', run = movement('reverse') },
  restart = { help = 'begin the innermost call anew', run = movement('restart') },
  stop = { help = 'end stepping', run = movement('stop') },
  set = {
    help = 'change a variable while stepping: :Cwm set n = 3',
    run = function(rest)
      local name, value = assignment(rest)
      if name and value then
        local theirs = require('cwm.nvim_dap')
        if theirs.session() then
          theirs.change(name, value)
        else
          require('cwm.step').change(name, value)
        end
      end
    end,
    complete = buffer_names,
  },
  ['break'] = {
    help = 'a breakpoint on the cursor’s line; with a condition: :Cwm break n > 3',
    run = function(rest)
      local condition = rest ~= '' and rest or nil
      local found, dap = pcall(require, 'dap')
      if found and require('cwm.step').uses_nvim_dap() then
        dap.toggle_breakpoint(condition)
        return
      end
      local breakpoints = require('cwm.step.breakpoints')
      breakpoints.toggle(condition)
      local session = require('cwm.step').session()
      if session then
        breakpoints:resend(session.connection, session.configuration.program)
      end
    end,
  },
  ['break-function'] = {
    help = 'stop when a function is entered: :Cwm break-function f',
    run = function(rest)
      local name, condition = rest:match('^(%S+)%s*(.*)$')
      name = name or cursor_function()
      local breakpoints = require('cwm.step.breakpoints')
      local set = breakpoints:toggle_function(name, condition ~= '' and condition or nil)
      server.say((set and 'stops in ' or 'no longer stops in ') .. name)
      local theirs = require('cwm.nvim_dap').session()
      local session = require('cwm.step').session()
      if theirs then
        breakpoints:send_extra(theirs)
      elseif session then
        breakpoints:resend(session.connection, session.configuration.program)
      end
    end,
    complete = function_names,
  },
  ['break-data'] = {
    help = 'while stepping: stop when a variable changes: :Cwm break-data total',
    run = function(rest)
      local name = rest ~= '' and rest or cursor_function()
      local theirs = require('cwm.nvim_dap').session()
      local session = require('cwm.step').session()
      local asked = theirs or (session and session.connection)
      if not asked then
        server.say('step first: a variable is watched in a run (:Cwm step).', vim.log.levels.WARN)
        return
      end
      local frame = theirs and theirs.current_frame or session and session.stack[1]
      require('cwm.step.breakpoints'):toggle_data(asked, name, frame and frame.id, server.say)
    end,
    complete = buffer_names,
  },
  ['what-if'] = {
    help = 'the trace in which a variable is changed on this line: :Cwm what-if n = 3',
    run = function(rest)
      local name, value = assignment(rest)
      if name and value then
        require('cwm.trace').what_if(name, value, vim.v.count1)
      end
    end,
    complete = buffer_names,
  },
  fill = {
    help = 'fill the hole (?) at the cursor, all of its function, or with ! every hole of the file',
    run = function(rest, bang)
      if bang or rest ~= '' then
        require('cwm.fill').fill_all(bang or rest == 'all')
      else
        require('cwm.fill').fill()
      end
    end,
    complete = function()
      return { 'all', 'function' }
    end,
  },
  model = {
    help = 'choose the model that predicts',
    run = function(rest)
      local function take(name)
        if name then
          server.command('cwm.selectModel', { model = name }, function(answer)
            if answer and answer ~= vim.NIL then
              server.say(answer.model .. ' predicts from now on')
            end
          end)
        end
      end
      if rest ~= '' then
        take(rest)
      else
        vim.ui.select(models(), { prompt = 'Which model is to predict?' }, take)
      end
    end,
    complete = models,
  },
  status = {
    help = 'what the server does, and with what',
    run = function()
      server.command('cwm.status', {}, function(status)
        local lines = {
          ('cwm-lsp %s: %s'):format(status.version, status.state),
          ('model %s, grounding %s'):format(status.model, status.grounding),
        }
        if status.message ~= '' then
          lines[#lines + 1] = status.message
        end
        for _, file in ipairs(status.files) do
          local name = vim.fn.fnamemodify(vim.uri_to_fname(file.uri), ':t')
          local line = ('%s: %d functions, %d traces'):format(name, file.functions, file.traces)
          if type(file.problem) == 'string' then
            line = line .. ', ' .. file.problem
          end
          lines[#lines + 1] = line
        end
        vim.list_extend(lines, status.problems)
        float(table.concat(lines, '\n'), 'text')
      end)
    end,
  },
  explain = {
    help = 'why is shown what is shown of the function at the cursor',
    run = function()
      server.command('cwm.explain', server.here(), function(answer)
        float(answer.text, 'markdown')
      end)
    end,
  },
  clear = {
    help = 'forget the traces of this file; with !: of all files',
    run = function(_, bang)
      server.command('cwm.clear', bang and {} or { uri = vim.uri_from_bufnr(0) }, function(answer)
        server.say(('%d traces forgotten'):format(answer.cleared))
      end)
    end,
  },
  hints = {
    help = 'show or hide predicted values at the end of lines',
    run = function()
      local filter = { bufnr = 0 }
      vim.lsp.inlay_hint.enable(not vim.lsp.inlay_hint.is_enabled(filter), filter)
    end,
  },
  engine = {
    help = 'restart the engine: let go of the model, and begin anew',
    run = function()
      server.command('cwm.restartEngine', {}, function(answer)
        server.say('begins anew with ' .. answer.model)
      end)
    end,
    complete = function()
      return { 'restart' }
    end,
  },
  log = {
    help = 'the log of the language client',
    run = function()
      vim.cmd.edit(
        vim.fn.fnameescape(vim.lsp.log.get_filename and vim.lsp.log.get_filename() or vim.lsp.get_log_path())
      )
    end,
  },
  doctor = {
    help = 'what is installed, and what is missing',
    run = function()
      vim.cmd.checkhealth('cwm')
    end,
  },
}

---@param arguments { args: string, bang: boolean, fargs: string[] }
function M.run(arguments)
  local name, rest = arguments.args:match('^%s*(%S+)%s*(.-)%s*$')
  name = name or 'status'
  local subcommand = M.subcommands[name]
  if not subcommand then
    server.say(('there is no :Cwm %s; there are %s'):format(name, table.concat(M.names(), ', ')), vim.log.levels.ERROR)
    return
  end
  subcommand.run(rest or '', arguments.bang)
end

---@return string[]
function M.names()
  local names = vim.tbl_keys(M.subcommands)
  table.sort(names)
  return names
end

---@param lead string
---@param line string
---@param position integer
---@return string[]
function M.complete(lead, line, position)
  local before = line:sub(1, position):gsub('^%s*:?', '')
  local name, rest = before:match('^Cwm!?%s+(%S+)%s+(.*)$')
  local choices = {}
  if not name then
    choices = M.names()
  elseif M.subcommands[name] and M.subcommands[name].complete then
    choices = M.subcommands[name].complete(rest)
    table.sort(choices)
  end
  return vim.tbl_filter(function(choice)
    return vim.startswith(choice, lead)
  end, choices)
end

return M
