"""Every value once, in the order of its first appearance."""


# cwm: without_repeats([3, 1, 3, 2, 1]) -> [3, 1, 2]
def without_repeats(values):
    """
    >>> without_repeats(['b', 'a', 'b', 'b'])
    ['b', 'a']
    >>> without_repeats([1, 2, 3])
    [1, 2, 3]
    >>> without_repeats([])
    []
    """
    seen = set()
    result = []
    for value in values:
        if ?:
            result.append(value)
            ?
    return result
