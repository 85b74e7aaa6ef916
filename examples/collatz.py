"""Counts the steps of the Collatz sequence from a number down to one."""


def next_number(n):
    if n % 2 == 0:
        return n // 2
    return 3 * n + 1


# cwm: collatz_steps(6) -> 8
def collatz_steps(n):
    steps = 0
    while n != 1:
        n = next_number(n)
        steps += 1
    return steps
