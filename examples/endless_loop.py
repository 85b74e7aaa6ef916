"""Counts down in steps of two and never ends when the start is odd, because it only stops at zero."""


# cwm: count_down(5)
def count_down(start):
    steps = 0
    while start != 0:
        start -= 2
        steps += 1
    return steps
