"""The commands, one file each: `HELP`, `EXAMPLES`, `add_arguments(parser)` and `run(args) -> exit status`.

Nothing heavy is imported before `run`, so that `--help` is instant.
"""
