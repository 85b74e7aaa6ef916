---Predicted values in Neovim: what a program would do, line by line, without running it.
---
---`require('cwm').setup{}` starts the language server for Python files. Everything else is a subcommand of `:Cwm`,
---or a module of its own. See `:help cwm`.
local M = {}

---Sets the plugin up. May be called again with other options.
---@param options? cwm.Options
function M.setup(options)
  if vim.fn.has('nvim-0.11') == 0 then
    vim.notify('cwm needs Neovim 0.11 or later.', vim.log.levels.ERROR)
    return
  end
  require('cwm.config').set(options or {})
  require('cwm.highlights').define()
  require('cwm.server').enable()
  require('cwm.nvim_dap').register()
end

---What the server does, for a statusline; nothing where it is not at work.
---@param buffer? integer
---@return string
function M.statusline(buffer)
  return require('cwm.status').text(buffer)
end

return M
