---`:checkhealth cwm`
local M = {}

---@param command string[]
---@param arguments string[]
---@return vim.SystemCompleted
local function run(command, arguments)
  return vim.system(vim.list_extend(vim.list_extend({}, command), arguments), { text = true }):wait(30000)
end

local function check_editor()
  vim.health.start('Neovim')
  if vim.fn.has('nvim-0.11') == 0 then
    vim.health.error('Neovim 0.11 or later is needed')
    return
  end
  vim.health.ok('Neovim ' .. tostring(vim.version()))
  if vim.lsp.inline_completion then
    vim.health.ok('fills of holes are shown as ghost text')
  else
    vim.health.info('fills of holes come as completion items; ghost text needs Neovim 0.12')
  end
  if pcall(require, 'dap') then
    vim.health.ok('nvim-dap is there: its adapter and configurations are registered')
  else
    vim.health.info('nvim-dap is not there: :Cwm step uses the stepper built in')
  end
end

---@param command string[]
local function check_program(command)
  local version = run(command, { '--version' })
  if version.code ~= 0 then
    vim.health.error('cwm-lsp does not start: ' .. vim.trim(version.stderr or ''), { 'pip install cwm-lsp' })
    return
  end
  vim.health.ok(vim.trim(version.stdout))
  local doctor = run(command, { 'doctor' })
  local words = vim.trim((doctor.stdout or '') .. (doctor.stderr or ''))
  if doctor.code == 0 then
    vim.health.ok('cwm-lsp doctor found nothing wrong')
  else
    vim.health.warn('cwm-lsp doctor found problems')
  end
  vim.health.info(words)
end

local function check_clients()
  vim.health.start('Language server')
  local clients = vim.lsp.get_clients({ name = 'cwm' })
  if #clients == 0 then
    vim.health.info('not running: it starts with the first Python file')
    return
  end
  for _, client in ipairs(clients) do
    local files = vim.tbl_count(client.attached_buffers)
    vim.health.ok(
      ('running for %d %s in %s'):format(files, files == 1 and 'file' or 'files', client.root_dir or 'no folder')
    )
    for _, method in ipairs({ 'hover', 'inlayHint', 'codeLens', 'inlineCompletion' }) do
      local able = client:supports_method('textDocument/' .. method)
      vim.health[able and 'ok' or 'info'](method .. (able and '' or ': not offered by this server'))
    end
  end
end

function M.check()
  check_editor()
  if vim.fn.has('nvim-0.11') == 0 then
    return
  end
  vim.health.start('cwm-lsp')
  local server = require('cwm.server')
  local command, where = server.find()
  if not command then
    vim.health.error(server.missing, { 'pip install cwm-lsp', "require('cwm').setup{ cmd = { '/path/to/cwm-lsp' } }" })
    return
  end
  vim.health.ok(('%s (%s)'):format(table.concat(command, ' '), where))
  check_program(command)
  check_clients()
end

return M
