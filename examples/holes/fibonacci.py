"""The first Fibonacci numbers."""


# cwm: fibonacci(3) -> [0, 1, 1]
def fibonacci(count):
    """
    >>> fibonacci(7)
    [0, 1, 1, 2, 3, 5, 8]
    >>> fibonacci(1)
    [0]
    >>> fibonacci(0)
    []
    """
    numbers = []
    a, b = 0, 1
    for _ in range(count):
        numbers.append(a)
        ?
    return numbers
