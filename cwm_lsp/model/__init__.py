"""Who predicts tokens: the backend contract and the engines behind it. Knows nothing of Python code."""
