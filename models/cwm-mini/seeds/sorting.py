"""Seed programs for training cwm-mini: ordering, ranking and rearranging."""
# ruff: noqa: RUF005

SIZES = ["S", "M", "L", "XL"]


# cwm: insertion_sort([3, 1, 2])
# cwm: insertion_sort([5])
# cwm: insertion_sort([])
# cwm: insertion_sort([2, 8, 4, 1])
def insertion_sort(values: list[int]) -> list[int]:
    for i in range(1, len(values)):
        current = values[i]
        j = i - 1
        while j >= 0 and values[j] > current:
            values[j + 1] = values[j]
            j -= 1
        values[j + 1] = current
    return values


# cwm: selection_sort([4, 2, 3])
# cwm: selection_sort([1, 2])
# cwm: selection_sort([])
# cwm: selection_sort([9, -3, 0])
def selection_sort(nums: list[int]) -> list[int]:
    n = len(nums)
    for start in range(n - 1):
        smallest = start
        for k in range(start + 1, n):
            if nums[k] < nums[smallest]:
                smallest = k
        if smallest != start:
            nums[start], nums[smallest] = nums[smallest], nums[start]
    return nums


# cwm: counting_sort([2, 0, 2, 1])
# cwm: counting_sort([3])
# cwm: counting_sort([1, 1])
# cwm: counting_sort([4, 0])
def counting_sort(values: list[int]) -> list[int]:
    counts = [0] * (max(values) + 1)
    for v in values:
        counts[v] += 1
    ordered = []
    for v, n in enumerate(counts):
        ordered += [v] * n
    return ordered


# cwm: is_sorted([1, 2, 2])
# cwm: is_sorted([3, 1])
# cwm: is_sorted([])
# cwm: is_sorted([0, 5, 4, 9])
def is_sorted(items: list[int]) -> bool:
    previous = None
    for item in items:
        if previous is not None and item < previous:
            return False
        previous = item
    return True


# cwm: sort_shirts(["L", "S", "M"])
# cwm: sort_shirts([])
# cwm: sort_shirts(["XL", "XL", "S"])
# cwm: sort_shirts(["M"])
def sort_shirts(shirts: list[str]) -> list[str]:
    ordered = []
    for size in SIZES:
        for shirt in shirts:
            if shirt == size:
                ordered.append(shirt)
    return ordered


# cwm: ranks([30, 10, 20])
# cwm: ranks([5, 5])
# cwm: ranks([])
# cwm: ranks([-1, 7, 3, 7])
def ranks(scores: list[int]) -> list[int]:
    ordered = sorted(scores, reverse=True)
    result = []
    for score in scores:
        place = ordered.index(score) + 1
        result.append(place)
    return result


# cwm: partition([5, 2, 8, 1], 4)
# cwm: partition([], 3)
# cwm: partition([9, 9], 9)
# cwm: partition([1, 2, 3], 10)
def partition(xs: list[int], pivot: int) -> list[int]:
    boundary = 0
    for i in range(len(xs)):
        if xs[i] < pivot:
            xs[boundary], xs[i] = xs[i], xs[boundary]
            boundary += 1
    return xs


# cwm: quick([3, 1, 2])
# cwm: quick([])
# cwm: quick([7])
# cwm: quick([4, 6, 4])
def quick(items: list[int]) -> list[int]:
    if len(items) <= 1:
        return items
    pivot = items[0]
    smaller = []
    larger = []
    for item in items[1:]:
        if item < pivot:
            smaller.append(item)
        else:
            larger.append(item)
    return quick(smaller) + [pivot] + quick(larger)


# cwm: leaderboard({"ann": 5, "bob": 9})
# cwm: leaderboard({})
# cwm: leaderboard({"x": 1, "y": 1})
# cwm: leaderboard({"kim": 3, "lee": 8, "max": 6})
def leaderboard(scores: dict[str, int]) -> list[str]:
    pairs = sorted(scores.items(), key=lambda pair: pair[1], reverse=True)
    lines = []
    for place, (name, points) in enumerate(pairs, 1):
        lines.append(f"{place}. {name} {points}")
    return lines


# cwm: sink_largest([3, 1, 2])
# cwm: sink_largest([1, 2])
# cwm: sink_largest([])
# cwm: sink_largest([5, 4, 3, 9])
def sink_largest(xs: list[int]) -> tuple[list[int], int]:
    swaps = 0
    at = 0
    while at + 1 < len(xs):
        here, after = xs[at:at + 2]
        if here > after:
            xs[at], xs[at + 1] = after, here
            swaps += 1
        at += 1
    return xs, swaps


# cwm: insert_sorted([1, 4, 6], 5)
# cwm: insert_sorted([], 3)
# cwm: insert_sorted([2, 2], 9)
# cwm: insert_sorted([5, 8], 0)
def insert_sorted(ordered: list[int], value: int) -> list[int]:
    for i, item in enumerate(ordered):
        if item >= value:
            ordered.insert(i, value)
            break
    else:
        ordered.append(value)
    return ordered


# cwm: median_of([3, 1, 2])
# cwm: median_of([4, 1])
# cwm: median_of([8])
# cwm: median_of([5, 9, 1, 7])
def median_of(nums: list[int]) -> float:
    ordered = sorted(nums)
    half = len(ordered) // 2
    if len(ordered) % 2 == 1:
        return float(ordered[half])
    pair = ordered[half - 1] + ordered[half]
    return pair / 2


# cwm: evens_then_odds([1, 2, 3, 4])
# cwm: evens_then_odds([])
# cwm: evens_then_odds([7, 5])
# cwm: evens_then_odds([6, -1, 0])
def evens_then_odds(nums: list[int]) -> list[int]:
    front: list[int] = []
    back: list[int] = []
    for n in nums:
        if n % 2:
            back.append(n)
        else:
            front.append(n)
    front.extend(back)
    return front


# cwm: sort_three(3, 1, 2)
# cwm: sort_three(1, 2, 3)
# cwm: sort_three(9, 8, 7)
# cwm: sort_three(4, 4, -1)
def sort_three(a: int, b: int, c: int) -> tuple[int, int, int]:
    if a > b:
        a, b = b, a
    if b > c:
        b, c = c, b
    if a > b:
        a, b = b, a
    return a, b, c


# cwm: top_two([5, 9, 7])
# cwm: top_two([1])
# cwm: top_two([2, 2, 2])
# cwm: top_two([-4, -9, 0, 3])
def top_two(values: list[int]) -> list[int]:
    best: list[int] = []
    for value in values:
        best.append(value)
        best.sort(reverse=True)
        best = best[:2]
    return best
