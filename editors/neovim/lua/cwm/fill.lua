---Fills of holes (`?`): ghost text while typing, and `:Cwm fill`.
---
---Neovim shows the text of an inline completion from the cursor on, less what is typed already. A fill is no
---continuation of the `?` that it replaces, so it is shown behind the `?`, which goes when the fill is accepted.
local config = require('cwm.config')
local server = require('cwm.server')
local M = {}

local METHOD = 'textDocument/inlineCompletion'

---@param buffer integer
---@param range lsp.Range
---@param encoding string
---@return string? text on one line, else nothing
local function text_of(buffer, range, encoding)
  if range.start.line ~= range['end'].line then
    return nil
  end
  local line = vim.api.nvim_buf_get_lines(buffer, range.start.line, range.start.line + 1, false)[1]
  if not line then
    return nil
  end
  local first = vim.str_byteindex(line, encoding, range.start.character, false)
  local last = vim.str_byteindex(line, encoding, range['end'].character, false)
  return line:sub(first + 1, last)
end

---An item that replaces a `?`, made into one that stands behind it and then removes it.
---@param buffer integer
---@param item lsp.InlineCompletionItem
---@param encoding string
---@return lsp.InlineCompletionItem
local function behind_marker(buffer, item, encoding)
  if not item.range or type(item.insertText) ~= 'string' then
    return item
  end
  if text_of(buffer, item.range, encoding) ~= '?' then
    return item
  end
  local line = vim.api.nvim_buf_get_lines(buffer, item.range.start.line, item.range.start.line + 1, false)[1]
  local column = vim.str_byteindex(line, encoding, item.range.start.character, false)
  return vim.tbl_extend('force', item, {
    range = { start = item.range['end'], ['end'] = item.range['end'] },
    command = {
      title = 'remove the ?',
      command = 'cwm.holeFilled',
      arguments = { { buffer = buffer, line = item.range.start.line, column = column, after = item.command } },
    },
  })
end

---Has the answers to inline completion of one server shaped for Neovim.
---@param client vim.lsp.Client
function M.adapt(client)
  local request = client.request
  ---@diagnostic disable-next-line: duplicate-set-field
  function client:request(method, params, handler, buffer)
    if method == METHOD and handler then
      local inner = handler
      handler = function(problem, result, context, ...)
        local items = result and (result.items or result)
        if items and context and context.bufnr then
          result = vim.tbl_map(function(item)
            return behind_marker(context.bufnr, item, client.offset_encoding)
          end, items)
        end
        return inner(problem, result, context, ...)
      end
    end
    return request(self, method, params, handler, buffer)
  end
end

---Takes the `?` before an accepted fill away, as part of the same change.
---@param place { buffer: integer, line: integer, column: integer, after?: lsp.Command }
function M.remove_marker(place)
  local line = vim.api.nvim_buf_get_lines(place.buffer, place.line, place.line + 1, false)[1]
  if line and line:sub(place.column + 1, place.column + 1) == '?' then
    pcall(vim.cmd.undojoin)
    vim.api.nvim_buf_set_text(place.buffer, place.line, place.column, place.line, place.column + 1, {})
  end
  if place.after then
    server.command(place.after.command, (place.after.arguments or {})[1], nil, place.buffer)
  end
end

---@param client vim.lsp.Client
---@param buffer integer
function M.attach(client, buffer)
  if vim.lsp.inline_completion and client:supports_method(METHOD) then
    vim.lsp.inline_completion.enable(true, { bufnr = buffer })
    M.map_keys(buffer)
  elseif not vim.lsp.inline_completion and client:supports_method('textDocument/completion') then
    vim.lsp.completion.enable(true, client.id, buffer, { autotrigger = true })
  end
end

---Keys of insert mode; each keeps its meaning where no fill is shown.
---@param buffer integer
function M.map_keys(buffer)
  local keys = config.options.fill_keys
  if not keys then
    return
  end
  local function typed(key)
    return vim.api.nvim_replace_termcodes(key, true, true, true)
  end
  -- What the key did before, if it was mapped.
  local before = vim.fn.maparg(keys.accept, 'i', false, true)
  vim.keymap.set('i', keys.accept, function()
    if vim.lsp.inline_completion.get() then
      return ''
    end
    if before.callback and before.expr == 1 then
      local answer = before.callback()
      return type(answer) == 'string' and (before.replace_keycodes == 1 and typed(answer) or answer) or ''
    elseif before.callback then
      vim.schedule(before.callback)
      return ''
    elseif before.rhs and before.expr == 0 then
      return typed(before.rhs)
    end
    return typed(keys.accept)
  end, { buffer = buffer, expr = true, replace_keycodes = false, desc = 'cwm: accept the fill' })
  for key, count in pairs({ [keys.next] = 1, [keys.previous] = -1 }) do
    vim.keymap.set('i', key, function()
      vim.lsp.inline_completion.select({ count = count })
    end, { buffer = buffer, desc = 'cwm: another fill' })
  end
end

---Fills the hole at the cursor: the fills are offered with what is known of each.
function M.fill()
  local buffer = vim.api.nvim_get_current_buf()
  server.command('cwm.fill', server.here(), function(answer)
    local fills = answer.fills
    if #fills == 0 then
      server.say(type(answer.reason) == 'string' and answer.reason or 'no fill was found for this hole.')
      return
    end
    vim.ui.select(fills, {
      prompt = 'Fill:',
      kind = 'cwm',
      format_item = M.words,
    }, function(fill)
      if fill then
        M.apply(buffer, answer.range, fill.text)
      end
    end)
  end, buffer)
end

---`number + 1    passed 2 of 2`
---@param fill { text: string, verified?: string, examples?: integer[] }
---@return string
function M.words(fill)
  local text = fill.text:gsub('\n%s*', ' ⏎ ')
  local examples = fill.examples
  local passed = type(examples) == 'table'
      and examples[2]
      and examples[2] > 0
      and (' %d of %d'):format(examples[1], examples[2])
    or ''
  return fill.verified and ('%s    %s%s'):format(text, fill.verified, passed) or text
end

---@param buffer integer
---@param range lsp.Range?
---@param text string
function M.apply(buffer, range, text)
  local client = server.client(buffer)
  if client and range and range ~= vim.NIL then
    vim.lsp.util.apply_text_edits({ { range = range, newText = text } }, buffer, client.offset_encoding)
  end
end

---Fills every hole of the file, or of the function at the cursor, with its best fill.
---@param whole_file boolean
function M.fill_all(whole_file)
  local asked = whole_file and { uri = vim.uri_from_bufnr(0) } or server.here()
  server.command('cwm.fillAll', asked, function(answer)
    local left = #answer.left
    if left > 0 then
      local reason = answer.left[1].reason
      server.say(('%d filled, %d left. %s'):format(answer.filled, left, type(reason) == 'string' and reason or ''))
    end
  end)
end

return M
