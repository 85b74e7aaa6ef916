"""Sums of neighbouring numbers, without adding them all again."""


# cwm: moving_sums([1, 2, 3, 4], 2) -> [3, 5, 7]
def moving_sums(numbers, width):
    """
    >>> moving_sums([5, 1, 1, 7, 2], 3)
    [7, 9, 10]
    >>> moving_sums([4, 2, 9], 1)
    [4, 2, 9]
    >>> moving_sums([2, 8], 2)
    [10]
    """
    total = sum(numbers[:width])
    sums = [total]
    for i in range(width, len(numbers)):
        total += ?
        sums.append(total)
    return sums
