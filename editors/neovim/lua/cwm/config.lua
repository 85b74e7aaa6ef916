---The options of setup(), with their defaults.
local M = {}

---@class cwm.StepKeys
---@field over string
---@field into string
---@field out string
---@field back string
---@field continue string
---@field reverse string
---@field restart string
---@field change string
---@field stop string

---@class cwm.FillKeys
---@field accept string
---@field next string
---@field previous string

---@class cwm.Options
---@field cmd? string[] how the server is started; else `cwm-lsp` is looked for
---@field settings? table<string, any> the server's settings (docs/settings.md)
---@field inlay_hints? boolean predicted values at the end of lines
---@field ghost_text? boolean fills of `?` as ghost text (Neovim 0.12; a completion menu on 0.11)
---@field fill_keys? cwm.FillKeys|false keys of insert mode while a fill is shown
---@field stepper? 'auto'|'builtin'|'nvim-dap' what `:Cwm step` uses; auto: nvim-dap if it is there
---@field step_keys? cwm.StepKeys|false keys of the file while it is stepped through with the built-in stepper
---@field side_width? integer columns of the stepper's window
---@field root_markers? string[]

---@class cwm.Config: cwm.Options
---@field settings table<string, any>
---@field inlay_hints boolean
---@field ghost_text boolean
---@field fill_keys cwm.FillKeys|false
---@field stepper 'auto'|'builtin'|'nvim-dap'
---@field step_keys cwm.StepKeys|false
---@field side_width integer
---@field root_markers string[]

---@type cwm.Config
local defaults = {
  settings = {},
  inlay_hints = true,
  ghost_text = true,
  fill_keys = { accept = '<Tab>', next = '<M-]>', previous = '<M-[>' },
  stepper = 'auto',
  step_keys = {
    over = '<F10>',
    into = '<F11>',
    out = '<F12>',
    back = '<F9>',
    continue = '<F5>',
    reverse = '<F6>',
    restart = '<F7>',
    change = '<F2>',
    stop = '<F4>',
  },
  side_width = 40,
  root_markers = { 'pyproject.toml', 'setup.py', 'setup.cfg', '.git' },
}

local kinds = {
  cmd = 'table',
  settings = 'table',
  inlay_hints = 'boolean',
  ghost_text = 'boolean',
  fill_keys = { 'table', 'boolean' },
  stepper = 'string',
  step_keys = { 'table', 'boolean' },
  side_width = 'number',
  root_markers = 'table',
}

---@type cwm.Config
M.options = vim.deepcopy(defaults)

---@param options cwm.Options
function M.set(options)
  vim.validate('options', options, 'table')
  for name, value in pairs(options) do
    if kinds[name] == nil then
      local known = vim.tbl_keys(kinds)
      table.sort(known)
      error(('cwm: there is no option %s; there are %s'):format(name, table.concat(known, ', ')), 0)
    end
    vim.validate(name, value, kinds[name], true)
  end
  if options.stepper and not vim.tbl_contains({ 'auto', 'builtin', 'nvim-dap' }, options.stepper) then
    error('cwm: stepper is auto, builtin or nvim-dap', 0)
  end
  M.options = vim.tbl_deep_extend('force', vim.deepcopy(defaults), options)
end

return M
