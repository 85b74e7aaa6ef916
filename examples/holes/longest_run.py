"""How long equal values stand side by side."""


# cwm: longest_run([4, 4, 1]) -> 2
def longest_run(values):
    """The length of the longest run of equal neighbours.

    >>> longest_run([1, 1, 2, 2, 2, 3])
    3
    >>> longest_run(['a', 'b', 'c'])
    1
    >>> longest_run([])
    0
    """
    best = 0
    run = 0
    previous = None
    for value in values:
        if value == previous:
            run += 1
        else:
            run = ?
        previous = value
        best = max(best, run)
    return best
