-- Loaded by Neovim at its start: the :Cwm command, and nothing that costs time.
if vim.g.loaded_cwm then
  return
end
vim.g.loaded_cwm = true

vim.api.nvim_create_user_command('Cwm', function(arguments)
  require('cwm.command').run(arguments)
end, {
  nargs = '*',
  bang = true,
  desc = 'Predicted values: trace, fill, step, …',
  complete = function(lead, line, position)
    return require('cwm.command').complete(lead, line, position)
  end,
})
