"""Lists the running totals of some numbers."""


# cwm: running_totals([3, 1, 4, 1, 5]) -> [3, 4, 8, 9, 14]
def running_totals(numbers):
    total = 0
    totals = []
    for number in numbers:
        total += number
        totals.append(total)
    return totals
