"""Moves the first elements of a list to its end."""


# cwm: rotate(['x', 'y', 'z'], 1) -> ['y', 'z', 'x']
def rotate(items, count):
    """
    >>> rotate([1, 2, 3, 4, 5], 2)
    [3, 4, 5, 1, 2]
    >>> rotate([1, 2, 3], 0)
    [1, 2, 3]
    >>> rotate([1, 2, 3], 3)
    [1, 2, 3]
    """
    return items[count:] + ?
