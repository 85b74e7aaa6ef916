-- https://luacheck.readthedocs.io
std = 'luajit'
cache = false
max_line_length = 120
read_globals = { 'vim' }
-- Options are set by assigning to fields of vim.
globals = { 'vim.g', 'vim.b', 'vim.bo', 'vim.wo', 'vim.opt', 'vim.env' }
