"""Two sorted lists become one."""


# cwm: merge([1, 4], [2, 3]) -> [1, 2, 3, 4]
def merge(left, right):
    """
    >>> merge([1, 5, 6], [2, 7])
    [1, 2, 5, 6, 7]
    >>> merge([], [3])
    [3]
    >>> merge([2, 2], [1, 2, 3])
    [1, 2, 2, 2, 3]
    """
    merged = []
    i = j = 0
    while i < len(left) and j < len(right):
        if ?:
            merged.append(left[i])
            i += 1
        else:
            merged.append(right[j])
            j += 1
    return merged + left[i:] + right[j:]
