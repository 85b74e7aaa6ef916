"""cwm-lsp: a neural debugger for Python. Traces are predicted by a world model of code, not run."""

__version__ = "0.1.0"
