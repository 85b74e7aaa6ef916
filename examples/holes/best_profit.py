"""Buy once, sell once later, gain the most."""


# cwm: best_profit([7, 1, 5, 3, 6, 4]) -> 5
def best_profit(prices):
    """
    >>> best_profit([7, 6, 4, 3])
    0
    >>> best_profit([2, 9])
    7
    >>> best_profit([3, 8, 1, 4, 2])
    5
    >>> best_profit([4, 2, 7, 1, 3])
    5
    """
    best = 0
    lowest = ?
    for price in prices:
        best = max(best, price - lowest)
        ?
    return best
