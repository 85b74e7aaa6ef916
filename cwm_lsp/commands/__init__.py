"""The commands, one file each: `DESCRIPTION`, `EXAMPLES`, `add_arguments(parser)` and `run(args) -> exit
status`.

A command's module is imported when it was chosen (cli.py). rich, models and engines are imported where they
are used.
"""
