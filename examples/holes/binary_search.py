"""Where a value stands in a sorted list."""


# cwm: find([2, 3, 5, 8], 8) -> 3
def find(ordered, wanted):
    """The index of the value, or None.

    >>> find([1, 4, 6, 9, 12], 6)
    2
    >>> find([1, 4, 6, 9, 12], 12)
    4
    >>> find([1, 4, 6, 9, 12], 13)
    >>> find([], 1)
    """
    low = 0
    high = ?
    while low <= high:
        middle = (low + high) // 2
        if ordered[middle] == wanted:
            return middle
        if ordered[middle] < wanted:
            low = middle + 1
        else:
            high = middle - 1
    return None
