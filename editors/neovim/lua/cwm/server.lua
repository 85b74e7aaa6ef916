---The language server: found, configured for `vim.lsp`, and asked.
local config = require('cwm.config')
local M = {}

M.name = 'cwm'

---Where `cwm-lsp` is: the active virtual environment, then PATH. A folder that was merely opened is not looked
---into: a program in it could be anybody's.
---@return string[]? command
---@return string? where in words
function M.find()
  if config.options.cmd then
    return config.options.cmd, 'cmd of setup()'
  end
  local environment = vim.env.VIRTUAL_ENV
  if environment and environment ~= '' then
    local folder = vim.fn.has('win32') == 1 and 'Scripts' or 'bin'
    local program = vim.fs.joinpath(environment, folder, 'cwm-lsp')
    if vim.fn.executable(program) == 1 then
      return { program }, 'VIRTUAL_ENV'
    end
  end
  local program = vim.fn.exepath('cwm-lsp')
  if program ~= '' then
    return { program }, 'PATH'
  end
end

M.missing = 'cwm-lsp was not found. Install it (pip install cwm-lsp), or give its command as cmd to setup().'

---Tells vim.lsp how to start the server, and has it started for Python files.
function M.enable()
  local options = config.options
  local command = M.find()
  if not command then
    vim.notify(M.missing, vim.log.levels.WARN)
    return
  end
  vim.lsp.config(M.name, {
    cmd = command,
    filetypes = { 'python' },
    root_markers = options.root_markers,
    -- An empty table is a list to JSON, unless it says otherwise.
    settings = { cwm = next(options.settings) and options.settings or vim.empty_dict() },
    init_options = { status = true, clientCommands = { 'cwm.step', 'cwm.otherCall' } },
    commands = {
      ['cwm.step'] = function(asked)
        require('cwm.step').start(asked.arguments[1])
      end,
      ['cwm.otherCall'] = function(asked)
        require('cwm.trace').other_call(asked.arguments[1])
      end,
      ['cwm.holeFilled'] = function(asked)
        require('cwm.fill').remove_marker(asked.arguments[1])
      end,
    },
    handlers = {
      ['cwm/status'] = function(_, status, context)
        require('cwm.status').set(context.client_id, status)
      end,
    },
    on_init = function(client)
      require('cwm.fill').adapt(client)
    end,
    on_attach = function(client, buffer)
      M.attached(client, buffer)
    end,
  })
  vim.lsp.enable(M.name)
end

---@param client vim.lsp.Client
---@param buffer integer
function M.attached(client, buffer)
  local options = config.options
  if options.inlay_hints and client:supports_method('textDocument/inlayHint') then
    vim.lsp.inlay_hint.enable(true, { bufnr = buffer })
  end
  if client:supports_method('textDocument/codeLens') then
    if vim.fn.has('nvim-0.12') == 1 then
      vim.lsp.codelens.enable(true, { bufnr = buffer })
    end
  end
  if options.ghost_text then
    require('cwm.fill').attach(client, buffer)
  end
end

---The server of a buffer, if it is there.
---@param buffer? integer
---@return vim.lsp.Client?
function M.client(buffer)
  return vim.lsp.get_clients({ name = M.name, bufnr = buffer or 0 })[1]
end

---One sentence for the user.
---@param sentence string
---@param level? integer
function M.say(sentence, level)
  vim.notify('cwm: ' .. sentence, level or vim.log.levels.INFO)
end

---Runs a command of the server. The result comes later; an error is told to the user.
---@param command string
---@param arguments table<string, any>?
---@param done? fun(result: any)
---@param buffer? integer
function M.command(command, arguments, done, buffer)
  -- An empty table is a list to JSON, unless it says otherwise.
  if not arguments or next(arguments) == nil then
    arguments = vim.empty_dict()
  end
  M.request('workspace/executeCommand', { command = command, arguments = { arguments } }, done, buffer)
end

---@param method string
---@param params table
---@param done? fun(result: any)
---@param buffer? integer
function M.request(method, params, done, buffer)
  local client = M.client(buffer)
  if not client then
    M.say('the server is not running for this file (see :checkhealth cwm).', vim.log.levels.WARN)
    return
  end
  client:request(method, params, function(problem, result)
    if problem then
      M.say(problem.message, vim.log.levels.ERROR)
    elseif done then
      done(result)
    end
  end, buffer or 0)
end

---Where the cursor is, as the server's commands take it.
---@param buffer? integer
---@return { uri: string, position: lsp.Position }
function M.here(buffer)
  local client = M.client(buffer)
  local params = vim.lsp.util.make_position_params(0, client and client.offset_encoding or 'utf-16')
  return { uri = params.textDocument.uri, position = params.position }
end

return M
