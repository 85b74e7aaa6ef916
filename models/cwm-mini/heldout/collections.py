"""Held out, never train on this: programs that measure cwm-mini. Lists, dictionaries, sets and loops."""
# ruff: noqa: B905, PLR1730, RUF005


# cwm: best_window([2, 1, 5, 3], 2)
# cwm: best_window([4, -1, 2], 1)
# cwm: best_window([1, 2], 3)
def best_window(readings: list[int], width: int) -> int:
    if len(readings) < width:
        return 0
    window = sum(readings[:width])
    best = window
    for i in range(width, len(readings)):
        window += readings[i] - readings[i - width]
        if window > best:
            best = window
    return best


# cwm: fold_ends([1, 2, 3, 4, 5])
# cwm: fold_ends([7, 1])
# cwm: fold_ends([])
def fold_ends(row: list[int]) -> list[int]:
    folded = []
    while len(row) > 1:
        first = row.pop(0)
        last = row.pop()
        folded.append(first * last)
    return folded + row


# cwm: votes(["ann", "bob", "ann", ""])
# cwm: votes(["cy"])
# cwm: votes(["x", "y", "y", "x", "y"])
def votes(ballots: list[str]) -> str:
    counted: dict[str, int] = {}
    invalid = 0
    for name in ballots:
        if not name:
            invalid += 1
            continue
        counted.setdefault(name, 0)
        counted[name] += 1
    ranking = sorted(counted, key=lambda n: -counted[n])
    return f"{ranking[0]} wins, {invalid} invalid"


# cwm: spiral_border([[1, 2, 3], [4, 5, 6], [7, 8, 9]])
# cwm: spiral_border([[1, 2], [3, 4]])
# cwm: spiral_border([[5, 6]])
def spiral_border(grid: list[list[int]]) -> list[int]:
    ring = list(grid[0])
    for row in grid[1:]:
        ring.append(row[-1])
    if len(grid) > 1:
        for value in reversed(grid[-1][:-1]):
            ring.append(value)
    i = len(grid) - 2
    while i > 0:
        ring.append(grid[i][0])
        i -= 1
    return ring


# cwm: balance({"ann": 10, "bob": -4, "cy": 0})
# cwm: balance({})
# cwm: balance({"di": -3, "ed": -6})
def balance(accounts: dict[str, int]) -> tuple[int, list[str]]:
    in_debt = []
    total = 0
    for owner, amount in accounts.items():
        total += amount
        if amount < 0:
            in_debt.append(owner)
            accounts[owner] = 0
    return total, in_debt


# cwm: common_friends({"a": [1, 2, 3], "b": [3, 2, 5]}, "a", "b")
# cwm: common_friends({"a": [1]}, "a", "c")
# cwm: common_friends({"x": [], "y": [4]}, "x", "y")
def common_friends(friends: dict[str, list[int]], one: str, two: str) -> list[int]:
    mine = set(friends.get(one, []))
    theirs = set(friends.get(two, []))
    both = mine & theirs
    if not both:
        return []
    return sorted(both)


# cwm: sieve_crossed(10)
# cwm: sieve_crossed(4)
# cwm: sieve_crossed(7)
def sieve_crossed(limit: int) -> list[int]:
    crossed = [False] * (limit + 1)
    for p in range(2, limit + 1):
        if crossed[p]:
            continue
        for multiple in range(2 * p, limit + 1, p):
            crossed[multiple] = True
    return [n for n in range(2, limit + 1) if not crossed[n]]


# cwm: queue_times([3, 1, 2, 4], 2)
# cwm: queue_times([5, 5], 3)
# cwm: queue_times([], 1)
def queue_times(customers: list[int], tills: int) -> int:
    busy = [0] * tills
    for time in customers:
        shortest = busy.index(min(busy))
        busy[shortest] += time
    return max(busy)


# cwm: compact_ranges([1, 2, 3, 7, 8])
# cwm: compact_ranges([4])
# cwm: compact_ranges([1, 3, 5])
def compact_ranges(pages: list[int]) -> str:
    parts = []
    start = end = pages[0]
    for page in pages[1:]:
        if page == end + 1:
            end = page
        else:
            parts.append(f"{start}-{end}" if start != end else str(start))
            start = end = page
    parts.append(f"{start}-{end}" if start != end else str(start))
    return ", ".join(parts)


# cwm: tip_split({"ann": 20, "bob": 40}, 15)
# cwm: tip_split({"cy": 8}, 2)
# cwm: tip_split({"a": 10, "b": 10, "c": 10}, 10)
def tip_split(shares: dict[str, int], tip: int) -> dict[str, int]:
    total = sum(shares.values())
    paid = 0
    result = {}
    for name in sorted(shares):
        part = tip * shares[name] // total
        result[name] = shares[name] + part
        paid += part
    first = min(result)
    result[first] += tip - paid
    return result


# cwm: spread_heat([0, 8, 0, 0], 1)
# cwm: spread_heat([6, 6], 2)
# cwm: spread_heat([9], 0)
def spread_heat(rod: list[int], rounds: int) -> list[int]:
    for _ in range(rounds):
        from_left = [rod[0]] + rod[:-1]
        from_right = rod[1:] + [rod[-1]]
        rod = [(a + 2 * b + c) // 4 for a, b, c in zip(from_left, rod, from_right)]
    return rod


# cwm: josephus([1, 2, 3, 4, 5], 2)
# cwm: josephus([7, 8, 9], 3)
# cwm: josephus([6], 4)
def josephus(people: list[int], step: int) -> int:
    at = 0
    while len(people) > 1:
        at = (at + step - 1) % len(people)
        del people[at]
    return people[0]


# cwm: index_words("to be or not to be")
# cwm: index_words("a")
# cwm: index_words("so so")
def index_words(sentence: str) -> dict[str, list[int]]:
    places: dict[str, list[int]] = {}
    for number, word in enumerate(sentence.split(), start=1):
        if word not in places:
            places[word] = [number]
        else:
            places[word].append(number)
    return places


# cwm: trim_outliers([1, 50, 52, 49, 99])
# cwm: trim_outliers([5, 6])
# cwm: trim_outliers([3, 3, 3, 40])
def trim_outliers(samples: list[int]) -> list[int]:
    if len(samples) < 3:
        return samples
    ordered = sorted(samples)
    middle = ordered[len(ordered) // 2]
    near = []
    for s in samples:
        if abs(s - middle) <= 10:
            near.append(s)
    return near
