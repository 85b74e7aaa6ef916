"""Seed programs for training cwm-mini: sets, tuples, unpacking and swapping."""
# ruff: noqa: RET504

ORIGIN = (0, 0)


# cwm: has_duplicates([1, 2, 1])
# cwm: has_duplicates([])
# cwm: has_duplicates([4, 5, 6])
# cwm: has_duplicates([0, 0])
def has_duplicates(values: list[int]) -> bool:
    seen = set()
    for value in values:
        if value in seen:
            return True
        seen.add(value)
    return False


# cwm: only_in_one([1, 2, 3], [3, 4])
# cwm: only_in_one([], [5])
# cwm: only_in_one([7, 8], [8, 7])
# cwm: only_in_one([2, 2], [1])
def only_in_one(a: list[int], b: list[int]) -> list[int]:
    first = set(a)
    second = set(b)
    either = first | second
    both = first & second
    return sorted(either - both)


# cwm: walk("NNE")
# cwm: walk("")
# cwm: walk("SWx")
# cwm: walk("NESW")
def walk(moves: str) -> tuple[int, int]:
    x, y = ORIGIN
    for move in moves:
        if move == "N":
            y += 1
        elif move == "S":
            y -= 1
        elif move == "E":
            x += 1
        elif move == "W":
            x -= 1
    return x, y


# cwm: add_points([(1, 2), (3, 4)])
# cwm: add_points([])
# cwm: add_points([(-5, 5)])
# cwm: add_points([(0, 1), (0, 1), (2, -2)])
def add_points(points: list[tuple[int, int]]) -> tuple[int, int]:
    sum_x = sum_y = 0
    for x, y in points:
        sum_x += x
        sum_y += y
    return (sum_x, sum_y)


# cwm: new_visitors([[1, 2], [2, 3]])
# cwm: new_visitors([])
# cwm: new_visitors([[5, 5], [5]])
# cwm: new_visitors([[], [4, 9], [9]])
def new_visitors(days: list[list[int]]) -> list[int]:
    known: set[int] = set()
    fresh = []
    for day in days:
        new = set(day) - known
        fresh.append(len(new))
        known |= new
    return fresh


# cwm: rotate_three(1, 2, 3)
# cwm: rotate_three(0, 0, 5)
# cwm: rotate_three(9, -9, 4)
# cwm: rotate_three(7, 7, 7)
def rotate_three(a: int, b: int, c: int) -> tuple[int, int, int]:
    a, b, c = b, c, a
    if a > b:
        a, b = b, a
    return a, b, c


# cwm: min_and_max([4, 1, 9])
# cwm: min_and_max([3])
# cwm: min_and_max([-2, -8])
# cwm: min_and_max([5, 5, 6, 2])
def min_and_max(xs: list[int]) -> tuple[int, int]:
    low = high = xs[0]
    for x in xs[1:]:
        if x < low:
            low = x
        elif x > high:
            high = x
    return low, high


# cwm: toggle_lights([1, 2, 1])
# cwm: toggle_lights([])
# cwm: toggle_lights([3, 3, 3])
# cwm: toggle_lights([4, 5])
def toggle_lights(switches: list[int]) -> list[int]:
    on = set()
    for s in switches:
        if s in on:
            on.remove(s)
        else:
            on.add(s)
    return sorted(on)


# cwm: split_name("Ada Lovelace")
# cwm: split_name("Plato")
# cwm: split_name("Ana de Armas")
# cwm: split_name("")
def split_name(full: str) -> tuple[str, str]:
    parts = full.split()
    if len(parts) == 0:
        return "", ""
    first, *rest = parts
    last = " ".join(rest)
    return last, first


# cwm: happy(19)
# cwm: happy(86)
# cwm: happy(1)
# cwm: happy(10)
def happy(n: int) -> bool:
    seen = set()
    while n != 1 and n not in seen:
        seen.add(n)
        n = sum(int(d) ** 2 for d in str(n))
        if len(seen) > 4:
            break
    return n == 1


# cwm: box_area((0, 0), (3, 2))
# cwm: box_area((5, 5), (1, 1))
# cwm: box_area((2, 2), (2, 9))
# cwm: box_area((-1, -1), (1, 1))
def box_area(p: tuple[int, int], q: tuple[int, int]) -> int:
    (x1, y1), (x2, y2) = p, q
    width = abs(x2 - x1)
    height = abs(y2 - y1)
    area = width * height
    return area


# cwm: is_pangram_of("cab", "abc")
# cwm: is_pangram_of("hello", "lox")
# cwm: is_pangram_of("", "a")
# cwm: is_pangram_of("abc", "")
def is_pangram_of(text: str, alphabet: str) -> str:
    missing = ""
    for letter in alphabet:
        if letter not in text:
            missing += letter
    if missing:
        return "lacks " + missing
    return "complete"


# cwm: pair_up(["a", "b", "c"])
# cwm: pair_up([])
# cwm: pair_up(["x"])
# cwm: pair_up(["p", "q"])
def pair_up(names: list[str]) -> list[tuple[str, str]]:
    pairs = []
    for i, one in enumerate(names):
        for other in names[i + 1:]:
            pairs.append((one, other))
    return pairs


# cwm: compare_versions("1.2", "1.10")
# cwm: compare_versions("2.0", "2.0")
# cwm: compare_versions("3.1", "2.9")
# cwm: compare_versions("0.0", "0.1")
def compare_versions(a: str, b: str) -> int:
    left = tuple(int(p) for p in a.split("."))
    right = tuple(int(p) for p in b.split("."))
    if left < right:
        return -1
    return int(left > right)
