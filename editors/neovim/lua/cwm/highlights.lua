---The highlight groups; each is a link that a colour scheme, or you, can replace.
local M = {}

local links = {
  CwmLine = 'CursorLine',
  CwmSign = 'DiagnosticSignWarn',
  CwmBreakpoint = 'DiagnosticSignError',
  CwmValue = 'LspInlayHint',
  CwmChanged = 'DiagnosticWarn',
  CwmPredicted = 'DiagnosticInfo',
  CwmComputed = 'Normal',
  CwmEdited = 'DiagnosticWarn',
  CwmObserved = 'DiagnosticOk',
  CwmHeading = 'Title',
  CwmName = 'Identifier',
  CwmDim = 'Comment',
}

function M.define()
  for name, target in pairs(links) do
    vim.api.nvim_set_hl(0, name, { link = target, default = true })
  end
end

local marks = {
  { '≈', 'CwmPredicted' },
  { '~', 'CwmPredicted' },
  { '✎', 'CwmEdited' },
  { '=', 'CwmComputed' },
  { '✓', 'CwmObserved' },
}

---The group for a value with its mark (`≈ 3`).
---@param value string
---@return string
function M.of(value)
  for _, pair in ipairs(marks) do
    if vim.startswith(value, pair[1] .. ' ') then
      return pair[2]
    end
  end
  return 'CwmComputed'
end

return M
