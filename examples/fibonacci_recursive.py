"""Computes a Fibonacci number by its definition, each call making two smaller calls."""


# cwm: fib(4) -> 3
def fib(n):
    if n < 2:
        return n
    left = fib(n - 1)
    right = fib(n - 2)
    return left + right
