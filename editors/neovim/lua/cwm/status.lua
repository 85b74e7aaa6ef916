---What the server does, as it tells by `cwm/status`, and a component for the statusline.
local M = {}

---@class cwm.Status
---@field state 'idle'|'loading'|'predicting'|'error'
---@field model string
---@field message string

---@type table<integer, cwm.Status>
local known = {}

---@param client integer
---@param status cwm.Status
function M.set(client, status)
  known[client] = status
  vim.api.nvim_exec_autocmds('User', { pattern = 'CwmStatus', modeline = false, data = status })
  vim.schedule(function()
    vim.cmd.redrawstatus({ bang = true })
  end)
end

---@param buffer? integer
---@return cwm.Status?
function M.of(buffer)
  local client = require('cwm.server').client(buffer)
  if not client then
    return nil
  end
  return known[client.id] or { state = 'idle', model = '', message = '' }
end

local signs = { idle = '≈', loading = '…', predicting = '⟳', error = '✗' }

---`≈ cwm-mini`, `⟳ predicting f(1)`; nothing where the server is not at work.
---@param buffer? integer
---@return string
function M.text(buffer)
  local status = M.of(buffer)
  if not status then
    return ''
  end
  local words = status.state == 'idle' and status.model or status.message
  words = words:gsub('%%', '%%%%')
  if vim.fn.strchars(words) > 40 then
    words = vim.fn.strcharpart(words, 0, 39) .. '…'
  end
  return vim.trim(signs[status.state] .. ' ' .. words)
end

return M
