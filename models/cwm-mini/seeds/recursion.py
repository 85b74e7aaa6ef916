"""Seed programs for training cwm-mini: functions that call themselves or each other."""
# ruff: noqa: RUF005


# cwm: count_down(3)
# cwm: count_down(0)
# cwm: count_down(1)
# cwm: count_down(6)
def count_down(n: int) -> list[int]:
    if n <= 0:
        return [0]
    rest = count_down(n - 1)
    return [n] + rest


# cwm: product_of(2, 5)
# cwm: product_of(4, 4)
# cwm: product_of(7, 3)
# cwm: product_of(1, 6)
def product_of(low: int, high: int) -> int:
    if low > high:
        return 1
    return low * product_of(low + 1, high)


# cwm: total_nested([1, [2, 3], 4])
# cwm: total_nested([])
# cwm: total_nested([[[5]]])
# cwm: total_nested([[1], [2, [3]]])
def total_nested(items: list) -> int:
    total = 0
    for item in items:
        if isinstance(item, list):
            total += total_nested(item)
        else:
            total += item
    return total


# cwm: depth_of([1, [2]])
# cwm: depth_of([])
# cwm: depth_of([[], [[3]]])
# cwm: depth_of(8)
def depth_of(thing: object) -> int:
    if not isinstance(thing, list):
        return 0
    deepest = 0
    for part in thing:
        deepest = max(deepest, depth_of(part))
    return deepest + 1


# cwm: tilings(4)
# cwm: tilings(1)
# cwm: tilings(0)
# cwm: tilings(3)
def tilings(width: int) -> list[str]:
    if width == 0:
        return [""]
    rows = []
    for tile in (3, 2):
        if tile <= width:
            for rest in tilings(width - tile):
                rows.append(str(tile) + rest)
    return rows


# cwm: backwards("abc")
# cwm: backwards("")
# cwm: backwards("z")
# cwm: backwards("hello")
def backwards(s: str) -> str:
    if s == "":
        return s
    return backwards(s[1:]) + s[0]


# cwm: is_even_rec(4)
# cwm: is_even_rec(1)
# cwm: is_even_rec(0)
# cwm: is_even_rec(7)
def is_even_rec(n: int) -> bool:
    if n == 0:
        return True
    return is_odd_rec(n - 1)


def is_odd_rec(n: int) -> bool:
    if n == 0:
        return False
    return is_even_rec(n - 1)


# cwm: binary_text(6)
# cwm: binary_text(0)
# cwm: binary_text(1)
# cwm: binary_text(37)
def binary_text(n: int) -> str:
    if n < 2:
        return str(n)
    return binary_text(n // 2) + str(n % 2)


# cwm: maximum_of([3, 9, 2])
# cwm: maximum_of([5])
# cwm: maximum_of([-4, -2])
# cwm: maximum_of([1, 8, 8, 0])
def maximum_of(values: list[int]) -> int:
    if len(values) == 1:
        return values[0]
    middle = len(values) // 2
    left = maximum_of(values[:middle])
    right = maximum_of(values[middle:])
    return left if left >= right else right


# cwm: flatten([1, [2, [3]]])
# cwm: flatten([])
# cwm: flatten([[4], [5]])
# cwm: flatten([7, 8])
def flatten(nested: list) -> list[int]:
    flat: list[int] = []
    for x in nested:
        if type(x) is list:
            flat.extend(flatten(x))
        else:
            flat.append(x)
    return flat


# cwm: gcd_rec(12, 18)
# cwm: gcd_rec(7, 5)
# cwm: gcd_rec(9, 0)
# cwm: gcd_rec(60, 48)
def gcd_rec(a: int, b: int) -> int:
    """The greatest common divisor, by subtraction of whole multiples."""
    if b == 0:
        return a
    remainder = a % b
    return gcd_rec(b, remainder)


# cwm: subsets_of([1, 2])
# cwm: subsets_of([])
# cwm: subsets_of([5])
# cwm: subsets_of([3, 2, 1])
def subsets_of(items: list[int]) -> list[list[int]]:
    if not items:
        return [[]]
    head = items[0]
    without = subsets_of(items[1:])
    result = list(without)
    for subset in without:
        result.append([head] + subset)
    return result


# cwm: hanoi_moves(1, "A", "C", "B")
# cwm: hanoi_moves(2, "A", "C", "B")
# cwm: hanoi_moves(0, "A", "C", "B")
# cwm: hanoi_moves(2, "x", "y", "z")
def hanoi_moves(disks: int, source: str, goal: str, spare: str) -> list[str]:
    if disks == 0:
        return []
    moves = hanoi_moves(disks - 1, source, spare, goal)
    moves.append(source + goal)
    moves += hanoi_moves(disks - 1, spare, goal, source)
    return moves


# cwm: can_make(7, [3, 4])
# cwm: can_make(5, [4])
# cwm: can_make(0, [2])
# cwm: can_make(6, [5, 2, 1])
def can_make(target: int, numbers: list[int]) -> bool:
    if target == 0:
        return True
    if target < 0 or not numbers:
        return False
    if can_make(target - numbers[0], numbers[1:]):
        return True
    return can_make(target, numbers[1:])


# cwm: digits_root(38)
# cwm: digits_root(9)
# cwm: digits_root(987)
# cwm: digits_root(0)
def digits_root(n: int) -> int:
    if n < 10:
        return n
    total = 0
    while n > 0:
        n, digit = divmod(n, 10)
        total += digit
    return digits_root(total)


# cwm: memo_fib(5)
# cwm: memo_fib(1)
# cwm: memo_fib(6)
# cwm: memo_fib(3)
def memo_fib(n: int) -> int:
    known = {0: 0, 1: 1}

    def fib(k: int) -> int:
        if k not in known:
            known[k] = fib(k - 1) + fib(k - 2)
        return known[k]

    return fib(n)


# cwm: paths_in_grid(2, 2)
# cwm: paths_in_grid(1, 3)
# cwm: paths_in_grid(0, 2)
# cwm: paths_in_grid(2, 1)
def paths_in_grid(rows: int, cols: int) -> int:
    if rows == 0 or cols == 0:
        return 0
    if rows == 1 and cols == 1:
        return 1
    down = paths_in_grid(rows - 1, cols)
    right = paths_in_grid(rows, cols - 1)
    return down + right
