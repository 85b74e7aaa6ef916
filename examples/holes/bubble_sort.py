"""Sorting by exchanging neighbours."""


# cwm: bubble_sort([2, 3, 1]) -> [1, 2, 3]
def bubble_sort(items):
    """
    >>> bubble_sort([5, 1, 4, 2])
    [1, 2, 4, 5]
    >>> bubble_sort([3, 2, 1])
    [1, 2, 3]
    >>> bubble_sort([])
    []
    """
    ordered = list(items)
    for end in range(len(ordered) - 1, 0, -1):
        for i in range(end):
            if ?:
                ordered[i], ordered[i + 1] = ?
    return ordered
