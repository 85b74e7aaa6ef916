"""How deep lists lie inside lists."""


# cwm: depth([1, [2, [3]]]) -> 3
def depth(item):
    """
    >>> depth(5)
    0
    >>> depth([1, 2])
    1
    >>> depth([[1], 2, [[3]]])
    3
    >>> depth([])
    1
    """
    if not isinstance(item, list):
        return 0
    deepest = 0
    for inner in item:
        deepest = max(deepest, ?)
    return deepest + 1
