"""Two places in a list whose values add up to a goal."""


# cwm: pair([2, 7, 11, 15], 9) -> (0, 1)
def pair(numbers, goal):
    """
    >>> pair([3, 2, 4], 6)
    (1, 2)
    >>> pair([3, 3], 6)
    (0, 1)
    >>> pair([5, 75, 25], 100)
    (1, 2)
    >>> pair([1, 2], 7)
    """
    seen = {}
    for at, number in enumerate(numbers):
        rest = ?
        if rest in seen:
            return seen[rest], at
        seen[?] = ?
    return None
