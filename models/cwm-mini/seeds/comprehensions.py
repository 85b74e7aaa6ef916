"""Seed programs for training cwm-mini: comprehensions, generator expressions, lambdas and generators."""
# ruff: noqa: B905, E731, RET504


# cwm: squares_of([1, 2, 3])
# cwm: squares_of([])
# cwm: squares_of([-4])
# cwm: squares_of([0, 5, -1, 2])
def squares_of(xs: list[int]) -> list[int]:
    result = [x * x for x in xs]
    return result


# cwm: long_words("a bird sang", 3)
# cwm: long_words("", 2)
# cwm: long_words("one three", 9)
# cwm: long_words("to the moon", 1)
def long_words(text: str, size: int) -> list[str]:
    words = text.split()
    chosen = [w for w in words if len(w) > size]
    return chosen


# cwm: total_even([1, 2, 3, 4])
# cwm: total_even([])
# cwm: total_even([7])
# cwm: total_even([-2, 6, 5])
def total_even(numbers: list[int]) -> int:
    total = sum(n for n in numbers if n % 2 == 0)
    return total


# cwm: length_table(["ant", "ox"])
# cwm: length_table([])
# cwm: length_table(["", "a", "bb"])
# cwm: length_table(["tea", "tea"])
def length_table(words: list[str]) -> dict[str, int]:
    table = {word: len(word) for word in words}
    return table


# cwm: shout("hi there")
# cwm: shout("")
# cwm: shout("a b c")
# cwm: shout("Oh no")
def shout(sentence: str) -> str:
    loud = " ".join(word.upper() + "!" for word in sentence.split())
    if not loud:
        loud = "..."
    return loud


# cwm: all_positive([1, 2])
# cwm: all_positive([3, 0, 4])
# cwm: all_positive([])
# cwm: all_positive([-1, 5, 5])
def all_positive(values: list[int]) -> str:
    ok = all(v > 0 for v in values)
    if ok:
        return "yes"
    return "no"


# cwm: any_capital("abC")
# cwm: any_capital("abc")
# cwm: any_capital("")
# cwm: any_capital("Xyz")
def any_capital(word: str) -> bool:
    found = any(ch.isupper() for ch in word)
    return found


# cwm: remainders([4, 7, 10], 3)
# cwm: remainders([], 2)
# cwm: remainders([5, 6, 7, 8], 4)
# cwm: remainders([-1, 1], 5)
def remainders(nums: list[int], m: int) -> list[int]:
    unique = {n % m for n in nums}
    ordered = sorted(unique)
    return ordered


# cwm: by_last_letter(["cat", "dog", "bee"])
# cwm: by_last_letter([])
# cwm: by_last_letter(["ab", "b", "a"])
# cwm: by_last_letter(["xz", "xy"])
def by_last_letter(names: list[str]) -> list[str]:
    key = lambda name: name[-1]
    names.sort(key=key)
    return names


# cwm: scale_rows([[1, 2], [3]], 2)
# cwm: scale_rows([], 4)
# cwm: scale_rows([[], [5]], -1)
# cwm: scale_rows([[1], [2]], 0)
def scale_rows(rows: list[list[int]], factor: int) -> list[list[int]]:
    scaled = []
    for row in rows:
        scaled.append([factor * x for x in row])
    return scaled


# cwm: dot([1, 2, 3], [4, 5, 6])
# cwm: dot([], [])
# cwm: dot([2], [-3])
# cwm: dot([1, 0, 1], [7, 8])
def dot(u: list[int], v: list[int]) -> int:
    products = [a * b for a, b in zip(u, v)]
    answer = sum(products)
    return answer


# cwm: filter_table({"a": 1, "b": 7}, 5)
# cwm: filter_table({}, 1)
# cwm: filter_table({"x": 3, "y": 3, "z": 4}, 3)
# cwm: filter_table({"q": -9}, -10)
def filter_table(table: dict[str, int], above: int) -> dict[str, int]:
    kept = {key: n for key, n in table.items() if n > above}
    dropped = len(table) - len(kept)
    kept["dropped"] = dropped
    return kept


# cwm: largest_by_digit([12, 9, 31])
# cwm: largest_by_digit([50])
# cwm: largest_by_digit([45, 15, 25])
# cwm: largest_by_digit([70, 8])
def largest_by_digit(nums: list[int]) -> int:
    winner = max(nums, key=lambda n: n % 10)
    return winner * 10


# cwm: coordinates(2, 2)
# cwm: coordinates(1, 3)
# cwm: coordinates(0, 4)
# cwm: coordinates(3, 1)
def coordinates(width: int, height: int) -> list[tuple[int, int]]:
    points = [(x, y) for x in range(width) for y in range(height)]
    points.reverse()
    return points


def count_by(step: int, limit: int):
    value = step
    while value <= limit:
        yield value
        value += step


# cwm: collect_steps(3, 10)
# cwm: collect_steps(5, 4)
# cwm: collect_steps(2, 8)
# cwm: collect_steps(9, 9)
def collect_steps(step: int, limit: int) -> list[int]:
    seen = []
    for value in count_by(step, limit):
        seen.append(value)
    return seen


# cwm: first_longer(["a", "bcd", "efgh"], 2)
# cwm: first_longer(["x"], 3)
# cwm: first_longer([], 0)
# cwm: first_longer(["hello", "no"], 4)
def first_longer(words: list[str], size: int) -> str:
    match = next((w for w in words if len(w) > size), "none")
    return match.title()


# cwm: flags([3, -1, 0])
# cwm: flags([])
# cwm: flags([8])
# cwm: flags([-5, -6])
def flags(values: list[int]) -> str:
    marks = ["+" if v > 0 else "-" if v < 0 else "0" for v in values]
    return "".join(marks)
