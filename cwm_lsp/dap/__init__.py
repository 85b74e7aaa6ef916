"""The debug adapter: predicted runs under the Debug Adapter Protocol."""
