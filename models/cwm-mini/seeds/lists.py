"""Seed programs for training cwm-mini: walking through lists, building and changing them."""
# ruff: noqa: B905


# cwm: fill_forward([3, 0, 0, 5])
# cwm: fill_forward([7])
# cwm: fill_forward([])
# cwm: fill_forward([0, -2, 0])
def fill_forward(values: list[int]) -> list[int]:
    """Puts the last value before it in the place of each zero."""
    result = []
    for v in values:
        if result and v == 0:
            result.append(result[-1])
        else:
            result.append(v)
    return result


# cwm: rotate_left([1, 2, 3, 4], 1)
# cwm: rotate_left([1, 2, 3], 5)
# cwm: rotate_left([], 2)
# cwm: rotate_left([9, 8], -1)
def rotate_left(items: list[int], steps: int) -> list[int]:
    if len(items) == 0:
        return items
    steps = steps % len(items)
    head = items[:steps]
    tail = items[steps:]
    return tail + head


# cwm: differences([1, 4, 9, 16])
# cwm: differences([5])
# cwm: differences([])
# cwm: differences([10, 7, 7])
def differences(nums: list[int]) -> list[int]:
    gaps = []
    for i in range(1, len(nums)):
        gap = nums[i] - nums[i - 1]
        gaps.append(gap)
    return gaps


# cwm: reverse_in_place([1, 2, 3])
# cwm: reverse_in_place([4, 7, 7, 1])
# cwm: reverse_in_place([5])
# cwm: reverse_in_place([])
def reverse_in_place(xs: list[int]) -> list[int]:
    i = 0
    j = len(xs) - 1
    while i < j:
        xs[i], xs[j] = xs[j], xs[i]
        i += 1
        j -= 1
    return xs


# cwm: interleave([1, 2, 3], [7, 8, 9])
# cwm: interleave([1], [5, 6, 7])
# cwm: interleave([], [])
# cwm: interleave([4, 4, 2], [0])
def interleave(left: list[int], right: list[int]) -> list[int]:
    mixed = []
    for a, b in zip(left, right):
        mixed.append(a)
        mixed.append(b)
    n = min(len(left), len(right))
    mixed += left[n:]
    mixed += right[n:]
    return mixed


# cwm: chunk([1, 2, 3, 4, 5], 2)
# cwm: chunk([1, 2, 3], 3)
# cwm: chunk([], 4)
# cwm: chunk([8, 6, 7], 1)
def chunk(items: list[int], size: int) -> list[list[int]]:
    chunks = []
    start = 0
    while start < len(items):
        chunks.append(items[start:start + size])
        start += size
    return chunks


# cwm: drop_repeats([3, 3, 1, 3, 2, 1])
# cwm: drop_repeats([])
# cwm: drop_repeats([5, 5, 5])
# cwm: drop_repeats([1, 2])
def drop_repeats(values: list[int]) -> list[int]:
    kept: list[int] = []
    for value in values:
        if value in kept:
            continue
        kept.append(value)
    return kept


# cwm: longest_rise([1, 2, 3, 1, 2])
# cwm: longest_rise([5, 4, 3])
# cwm: longest_rise([])
# cwm: longest_rise([2, 2, 3, 9])
# cwm: longest_rise([7])
def longest_rise(heights: list[int]) -> int:
    if not heights:
        return 0
    best = current = 1
    for i in range(1, len(heights)):
        if heights[i] > heights[i - 1]:
            current += 1
        else:
            current = 1
        best = max(best, current)
    return best


# cwm: second_largest([4, 9, 7])
# cwm: second_largest([5, 5])
# cwm: second_largest([1, 2, 3, 2])
# cwm: second_largest([8])
# cwm: second_largest([-1, -4])
def second_largest(numbers: list[int]) -> int | None:
    first = None
    second = None
    for n in numbers:
        if first is None or n > first:
            second = first
            first = n
        elif n != first and (second is None or n > second):
            second = n
    return second


# cwm: squash_below([4, 1, 6], 3)
# cwm: squash_below([0, 0], 1)
# cwm: squash_below([2, 5], 2)
# cwm: squash_below([], 9)
# cwm: squash_below([7, 0, -1], 0)
def squash_below(nums: list[int], floor: int) -> list[int]:
    raised = 0
    for i, n in enumerate(nums):
        if n < floor:
            nums[i] = floor
            raised += 1
    while raised > 0:
        nums.append(-raised)
        raised -= 2
    return nums


# cwm: transpose([[1, 2], [3, 4]])
# cwm: transpose([[5, 6, 7]])
# cwm: transpose([[1], [2]])
# cwm: transpose([])
def transpose(grid: list[list[int]]) -> list[list[int]]:
    if not grid:
        return []
    result = []
    for col in range(len(grid[0])):
        column = []
        for row in grid:
            column.append(row[col])
        result.append(column)
    return result


# cwm: split_by_sign([3, -1, 0, -7, 2])
# cwm: split_by_sign([])
# cwm: split_by_sign([-4, -5])
# cwm: split_by_sign([0])
def split_by_sign(xs: list[int]) -> tuple[list[int], list[int]]:
    positive, negative = [], []
    for x in xs:
        target = negative if x < 0 else positive
        target.append(x)
    return positive, negative


# cwm: merge_two([1, 4, 6], [2, 3])
# cwm: merge_two([], [1, 2])
# cwm: merge_two([5], [5])
# cwm: merge_two([9], [])
# cwm: merge_two([1, 2], [3, 4])
def merge_two(a: list[int], b: list[int]) -> list[int]:
    out: list[int] = []
    i = j = 0
    while i < len(a) and j < len(b):
        if a[i] <= b[j]:
            out.append(a[i])
            i += 1
        else:
            out.append(b[j])
            j += 1
    out.extend(a[i:])
    out.extend(b[j:])
    return out


# cwm: every_other([1, 2, 3, 4, 5])
# cwm: every_other([6])
# cwm: every_other([])
# cwm: every_other([2, 0, 2, 0])
def every_other(items: list[int]) -> int:
    picked = items[::2]
    skipped = items[1::2]
    a = sum(picked)
    b = sum(skipped)
    return a - b


# cwm: remove_at(["a", "b", "c"], 1)
# cwm: remove_at(["x"], 0)
# cwm: remove_at(["x"], 3)
# cwm: remove_at(["p", "q"], -1)
def remove_at(items: list[str], index: int) -> list[str]:
    if index < 0:
        index += len(items)
    if 0 <= index < len(items):
        gone = items.pop(index)
        items.append(gone.upper())
    return items


# cwm: peaks([1, 3, 2, 5, 4])
# cwm: peaks([1, 2, 3])
# cwm: peaks([4, 4, 4, 4])
# cwm: peaks([0, 9])
def peaks(data: list[int]) -> list[int]:
    found = []
    for i in range(1, len(data) - 1):
        if data[i - 1] < data[i] > data[i + 1]:
            found.append(i)
    return found


# cwm: diagonal_sums([[1, 2], [3, 4]])
# cwm: diagonal_sums([[5]])
# cwm: diagonal_sums([[1, 0, 2], [0, 3, 0], [4, 0, 5]])
# cwm: diagonal_sums([])
def diagonal_sums(square: list[list[int]]) -> tuple[int, int]:
    main = other = 0
    n = len(square)
    for k in range(n):
        main += square[k][k]
        other += square[k][n - 1 - k]
    return (main, other)


# cwm: prefix_sums([1, 2, 3, 4])
# cwm: prefix_sums([])
# cwm: prefix_sums([-3, 3])
# cwm: prefix_sums([10])
def prefix_sums(xs: list[int]) -> list[int]:
    sums = [0] * (len(xs) + 1)
    for i, x in enumerate(xs):
        sums[i + 1] = sums[i] + x
    return sums
