"""Cuts a list into pieces of one size."""


# cwm: chunks([1, 2, 3, 4], 2) -> [[1, 2], [3, 4]]
def chunks(items, size):
    """The last piece may be shorter.

    >>> chunks([1, 2, 3, 4, 5], 2)
    [[1, 2], [3, 4], [5]]
    >>> chunks(['a', 'b', 'c'], 3)
    [['a', 'b', 'c']]
    >>> chunks([1, 2, 3], 1)
    [[1], [2], [3]]
    >>> chunks([], 4)
    []
    """
    pieces = []
    for start in range(0, len(items), size):
        pieces.append(items[start:?])
    return pieces
