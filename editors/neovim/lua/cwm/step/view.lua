---How a stepped run looks: the line where it stands, values beside it, and a window with stack and variables.
---What can be done with it is init.lua's.
local config = require('cwm.config')
local highlights = require('cwm.highlights')

local namespace = vim.api.nvim_create_namespace('cwm.step')

---@alias cwm.Entry { frame?: cwm.StackFrame, variable?: cwm.Variable, path?: string }

---@class cwm.View
---@field source integer the file's buffer
---@field window integer the window in which the file is shown
---@field side integer buffer of the side window
---@field side_window integer
---@field entries table<integer, cwm.Entry> what stands on a line of the side window
---@field open table<string, cwm.Variable[]|false> variables whose parts are shown, by expression
---@field hints boolean? whether inlay hints were shown before
local View = {}
View.__index = View

---@param source integer
---@return cwm.View
function View.new(source)
  local self = setmetatable({ source = source, entries = {}, open = {} }, View)
  self.window = vim.fn.bufwinid(source)
  if self.window == -1 then
    self.window = vim.api.nvim_get_current_win()
    vim.api.nvim_win_set_buf(self.window, source)
  end
  self.side = vim.api.nvim_create_buf(false, true)
  vim.bo[self.side].bufhidden = 'hide'
  vim.bo[self.side].filetype = 'cwmstep'
  vim.api.nvim_buf_set_name(self.side, ('cwm-step:%d'):format(self.side))
  self.side_window = vim.api.nvim_open_win(self.side, false, {
    split = 'right',
    win = self.window,
    width = config.options.side_width,
    style = 'minimal',
  })
  vim.wo[self.side_window].winfixwidth = true
  vim.wo[self.side_window].wrap = false
  vim.wo[self.side_window].cursorline = true
  self.hints = vim.lsp.inlay_hint.is_enabled({ bufnr = source })
  vim.lsp.inlay_hint.enable(false, { bufnr = source })
  return self
end

---@param session cwm.Session
function View:show(session)
  if session.state == 'stopped' then
    self:show_line(session)
  end
  self:show_side(session)
end

---The line where the run stands: sign, colour, and the values that matter there.
---@private
---@param session cwm.Session
function View:show_line(session)
  local top = session.stack[1]
  if not top or not vim.api.nvim_buf_is_valid(self.source) then
    return
  end
  vim.api.nvim_buf_clear_namespace(self.source, namespace, 0, -1)
  local last = vim.api.nvim_buf_line_count(self.source)
  local line = math.min(top.line, last)
  local text = vim.api.nvim_buf_get_lines(self.source, line - 1, line, false)[1] or ''
  local words = {}
  for _, variable in ipairs(session.locals) do
    local here = text:find('%f[%w_]' .. vim.pesc(variable.name) .. '%f[^%w_]') ~= nil
    local changed = session:changed(variable)
    if here or changed then
      words[#words + 1] = { '  ' .. variable.name .. ' ', 'CwmValue' }
      words[#words + 1] = { variable.value, changed and 'CwmChanged' or 'CwmValue' }
    end
  end
  vim.api.nvim_buf_set_extmark(self.source, namespace, line - 1, 0, {
    sign_text = '▶',
    sign_hl_group = 'CwmSign',
    line_hl_group = 'CwmLine',
    virt_text = #words > 0 and words or nil,
    virt_text_pos = 'eol',
    hl_mode = 'combine',
    priority = 30,
  })
  for _, frame in ipairs(vim.list_slice(session.stack, 2)) do
    if frame.line <= last then
      vim.api.nvim_buf_set_extmark(self.source, namespace, frame.line - 1, 0, {
        sign_text = '▷',
        sign_hl_group = 'CwmDim',
        priority = 29,
      })
    end
  end
  if vim.api.nvim_win_is_valid(self.window) and vim.api.nvim_win_get_buf(self.window) == self.source then
    vim.api.nvim_win_set_cursor(self.window, { line, 0 })
  end
end

---@private
---@param session cwm.Session
function View:show_side(session)
  if not vim.api.nvim_buf_is_valid(self.side) then
    return
  end
  local lines, marks = {}, {} ---@type string[], { [1]: integer, [2]: integer, [3]: integer, [4]: string }[]
  self.entries = {}

  ---@param parts { [1]: string, [2]: string? }[]
  ---@param entry? cwm.Entry
  local function add(parts, entry)
    local text = ''
    for _, part in ipairs(parts) do
      local piece = part[1]:gsub('\n', ' ')
      if part[2] then
        marks[#marks + 1] = { #lines, #text, #text + #piece, part[2] }
      end
      text = text .. piece
    end
    lines[#lines + 1] = text
    self.entries[#lines] = entry
  end

  local state = session.state == 'stopped' and session.reason or session.state
  add({ { session.configuration.name or 'cwm', 'CwmHeading' }, { '  ' .. state, 'CwmDim' } })
  add({})
  add({ { 'Variables', 'CwmHeading' } })

  ---@param variable cwm.Variable
  ---@param depth integer
  ---@param path string
  local function show_variable(variable, depth, path)
    local parts = self.open[path]
    local sign = variable.variablesReference == 0 and '  ' or parts and '▾ ' or '▸ '
    local group = depth == 0 and session:changed(variable) and 'CwmChanged' or highlights.of(variable.value)
    add({
      { ('  '):rep(depth) .. sign },
      { variable.name, 'CwmName' },
      { ' ' },
      { variable.value, group },
    }, { variable = variable, path = path })
    for _, part in ipairs(parts or {}) do
      show_variable(part, depth + 1, path .. '\0' .. part.name)
    end
  end
  for _, variable in ipairs(session.locals) do
    show_variable(variable, 0, variable.name)
  end

  add({})
  add({ { 'Stack', 'CwmHeading' } })
  for _, frame in ipairs(session.stack) do
    add({ { '  ' .. frame.name }, { ':' .. frame.line, 'CwmDim' } }, { frame = frame })
  end
  if #session.prediction > 0 then
    add({})
    add({ { 'Prediction', 'CwmHeading' } })
    for _, row in ipairs(session.prediction) do
      add({ { '  ' .. row.name .. ' ', 'CwmDim' }, { row.value, 'CwmDim' } })
    end
  end
  if #session.console > 0 then
    add({})
    for _, line in ipairs(vim.list_slice(session.console, math.max(1, #session.console - 4))) do
      add({ { line, 'CwmDim' } })
    end
  end

  vim.bo[self.side].modifiable = true
  vim.api.nvim_buf_set_lines(self.side, 0, -1, false, lines)
  vim.bo[self.side].modifiable = false
  vim.api.nvim_buf_clear_namespace(self.side, namespace, 0, -1)
  for _, mark in ipairs(marks) do
    vim.api.nvim_buf_set_extmark(self.side, namespace, mark[1], mark[2], { end_col = mark[3], hl_group = mark[4] })
  end
end

---What stands under the cursor of the side window.
---@return cwm.Entry?
function View:entry()
  if not vim.api.nvim_win_is_valid(self.side_window) then
    return nil
  end
  return self.entries[vim.api.nvim_win_get_cursor(self.side_window)[1]]
end

---Shows or hides the parts of the variable under the cursor, or jumps to the call under it.
---@param session cwm.Session
function View:enter(session)
  local entry = self:entry()
  if not entry then
    return
  elseif entry.frame then
    if vim.api.nvim_win_is_valid(self.window) then
      vim.api.nvim_set_current_win(self.window)
      vim.api.nvim_win_set_cursor(self.window, { entry.frame.line, 0 })
    end
  elseif entry.variable and entry.variable.variablesReference > 0 then
    if self.open[entry.path] then
      self.open[entry.path] = nil
      self:show_side(session)
    else
      session:parts(entry.variable.variablesReference, function(parts)
        self.open[entry.path] = parts
        self:show_side(session)
      end)
    end
  end
end

---Parts belong to one stop: they are closed before the next.
function View:fold()
  self.open = {}
end

---Takes everything away again.
function View:close()
  if vim.api.nvim_buf_is_valid(self.source) then
    vim.api.nvim_buf_clear_namespace(self.source, namespace, 0, -1)
    if self.hints then
      vim.lsp.inlay_hint.enable(true, { bufnr = self.source })
    end
  end
  if vim.api.nvim_win_is_valid(self.side_window) and #vim.api.nvim_list_wins() > 1 then
    vim.api.nvim_win_close(self.side_window, true)
  end
  if vim.api.nvim_buf_is_valid(self.side) then
    vim.api.nvim_buf_delete(self.side, { force = true })
  end
end

return View
