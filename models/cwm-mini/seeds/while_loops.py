"""Seed programs for training cwm-mini: while loops, with break, continue and else."""
# ruff: noqa: PLW0120


# cwm: tournament(40)
# cwm: tournament(1)
# cwm: tournament(0)
# cwm: tournament(13)
def tournament(players: int) -> tuple[int, int]:
    games = 0
    rounds = 0
    while players > 1:
        games += players // 2
        players = players // 2 + players % 2
        rounds += 1
    return games, rounds


# cwm: first_multiple(7, 20)
# cwm: first_multiple(5, 5)
# cwm: first_multiple(9, 0)
# cwm: first_multiple(4, 30)
def first_multiple(of: int, above: int) -> int:
    candidate = of
    while True:
        if candidate > above:
            break
        candidate += of
    return candidate


# cwm: drain([5, 3, 0, 2])
# cwm: drain([1])
# cwm: drain([])
# cwm: drain([2, 2, -1, 4])
def drain(queue: list[int]) -> int:
    served = 0
    while queue:
        item = queue.pop(0)
        if item <= 0:
            continue
        served += item
    return served


# cwm: has_small_factor(35)
# cwm: has_small_factor(13)
# cwm: has_small_factor(2)
# cwm: has_small_factor(49)
def has_small_factor(n: int) -> str:
    f = 2
    while f * f <= n:
        if n % f == 0:
            verdict = f"{n} = {f} * {n // f}"
            break
        f += 1
    else:
        verdict = f"{n} has none"
    return verdict


# cwm: days_to_reach(1, 50)
# cwm: days_to_reach(10, 10)
# cwm: days_to_reach(3, 100)
# cwm: days_to_reach(0, 5)
def days_to_reach(start: int, goal: int) -> int:
    if start <= 0:
        return -1
    amount = start
    day = 0
    while amount < goal:
        day += 1
        amount *= 2
        if day % 3 == 0:
            amount -= 1
    return day


# cwm: strip_edges("--ab-c--", "-")
# cwm: strip_edges("xxx", "x")
# cwm: strip_edges("hello", "-")
# cwm: strip_edges("", "?")
def strip_edges(text: str, ch: str) -> str:
    while text and text[0] == ch:
        text = text[1:]
    while text and text[-1] == ch:
        text = text[:-1]
    return text


# cwm: subtract_game(20, 3, 4)
# cwm: subtract_game(5, 5, 1)
# cwm: subtract_game(0, 2, 2)
# cwm: subtract_game(17, 6, 2)
def subtract_game(pile: int, first: int, second: int) -> str:
    turn = "first"
    while pile > 0:
        if turn == "first":
            pile -= first
            turn = "second"
        else:
            pile -= second
            turn = "first"
    return turn


# cwm: binary_digits(0)
# cwm: binary_digits(5)
# cwm: binary_digits(24)
# cwm: binary_digits(1)
def binary_digits(value: int) -> str:
    if value == 0:
        return "0"
    text = ""
    while value > 0:
        text = str(value % 2) + text
        value = value // 2
    return text


# cwm: meet(0, 10, 2, 3)
# cwm: meet(5, 6, 1, 1)
# cwm: meet(0, 20, 4, 1)
# cwm: meet(3, 3, 1, 1)
def meet(left: int, right: int, step_left: int, step_right: int) -> tuple[int, int]:
    rounds = 0
    while left < right:
        left += step_left
        if left >= right:
            break
        right -= step_right
        rounds += 1
    return rounds, left


# cwm: find_gap([1, 2, 4, 5])
# cwm: find_gap([3, 4, 5])
# cwm: find_gap([])
# cwm: find_gap([0, 9])
def find_gap(sorted_nums: list[int]) -> int | None:
    i = 0
    while i + 1 < len(sorted_nums):
        expected = sorted_nums[i] + 1
        if sorted_nums[i + 1] != expected:
            return expected
        i += 1
    return None


# cwm: digits_reversed(120)
# cwm: digits_reversed(7)
# cwm: digits_reversed(9051)
# cwm: digits_reversed(-34)
def digits_reversed(n: int) -> int:
    negative = n < 0
    if negative:
        n = -n
    result = 0
    while n:
        result = result * 10 + n % 10
        n //= 10
    return -result if negative else result


# cwm: cool_down(90)
# cwm: cool_down(20)
# cwm: cool_down(55)
# cwm: cool_down(-5)
def cool_down(temperature: int) -> list[int]:
    readings = [temperature]
    while temperature > 20:
        temperature -= (temperature - 20) // 2 or 1
        readings.append(temperature)
        if len(readings) == 6:
            break
    return readings


# cwm: skip_multiples(10, 3)
# cwm: skip_multiples(4, 2)
# cwm: skip_multiples(0, 5)
# cwm: skip_multiples(6, 1)
def skip_multiples(upto: int, m: int) -> list[int]:
    kept = []
    i = 0
    while i < upto:
        i += 1
        if i % m == 0:
            continue
        kept.append(i)
    return kept


# cwm: next_power(5)
# cwm: next_power(8)
# cwm: next_power(1)
# cwm: next_power(33)
def next_power(n: int) -> int:
    p = 1
    while p < n:
        p <<= 1
    else:
        p += 0
    return p


# cwm: zip_strings("abc", "12")
# cwm: zip_strings("", "xyz")
# cwm: zip_strings("hi", "yo")
# cwm: zip_strings("", "")
def zip_strings(a: str, b: str) -> str:
    out = ""
    while a or b:
        if a:
            out += a[0]
            a = a[1:]
        if b:
            out += b[0]
            b = b[1:]
    return out


# cwm: stairs(7, 3)
# cwm: stairs(1, 1)
# cwm: stairs(0, 4)
# cwm: stairs(10, 4)
def stairs(height: int, stride: int) -> int:
    steps = 0
    climbed = 0
    while climbed < height:
        left = height - climbed
        if left >= stride:
            climbed += stride
        else:
            climbed += 1
        steps += 1
    return steps
