"""Seed programs for training cwm-mini: arithmetic on whole numbers and fractions of them."""
# ruff: noqa: PLR1714, RET505, SIM114

SECONDS_PER_HOUR = 3600


# cwm: digit_sum(0)
# cwm: digit_sum(7)
# cwm: digit_sum(493)
# cwm: digit_sum(-58)
# cwm: digit_sum(10203)
def digit_sum(n: int) -> int:
    n = abs(n)
    total = 0
    while n > 0:
        total += n % 10
        n //= 10
    return total


# cwm: split_seconds(59)
# cwm: split_seconds(3725)
# cwm: split_seconds(7200)
# cwm: split_seconds(0)
def split_seconds(seconds: int) -> tuple[int, int, int]:
    hours = seconds // SECONDS_PER_HOUR
    rest = seconds % SECONDS_PER_HOUR
    minutes = rest // 60
    seconds = rest % 60
    return hours, minutes, seconds


# cwm: clamp(5, 0, 10)
# cwm: clamp(-3, 0, 10)
# cwm: clamp(42, 0, 10)
# cwm: clamp(4, 9, 1)
def clamp(value: int, low: int, high: int) -> int:
    if low > high:
        low, high = high, low
    if value < low:
        return low
    elif value > high:
        return high
    else:
        return value


# cwm: sum_of_odd_squares(1)
# cwm: sum_of_odd_squares(6)
# cwm: sum_of_odd_squares(9)
# cwm: sum_of_odd_squares(0)
def sum_of_odd_squares(limit: int) -> int:
    total = 0
    for k in range(1, limit + 1):
        if k % 2 == 1:
            total += k * k
    return total


# cwm: count_divisors(1)
# cwm: count_divisors(12)
# cwm: count_divisors(13)
# cwm: count_divisors(49)
# cwm: count_divisors(72)
def count_divisors(n: int) -> int:
    count = 0
    d = 1
    while d * d <= n:
        if n % d == 0:
            count += 1
            if d != n // d:
                count += 1
        d += 1
    return count


# cwm: to_base(10, 2)
# cwm: to_base(45, 7)
# cwm: to_base(0, 3)
# cwm: to_base(99, 16)
# cwm: to_base(-6, 2)
def to_base(number: int, base: int) -> list[int]:
    if number == 0:
        return [0]
    sign = 1 if number > 0 else -1
    number = abs(number)
    digits: list[int] = []
    while number:
        number, digit = divmod(number, base)
        digits.insert(0, digit * sign)
    return digits


# cwm: leap_years_between(1996, 2005)
# cwm: leap_years_between(1899, 1901)
# cwm: leap_years_between(2000, 2000)
# cwm: leap_years_between(2001, 2003)
def leap_years_between(first: int, last: int) -> list[int]:
    years = []
    for year in range(first, last + 1):
        if year % 400 == 0:
            years.append(year)
        elif year % 4 == 0 and year % 100 != 0:
            years.append(year)
    return years


# cwm: integer_root(0)
# cwm: integer_root(17)
# cwm: integer_root(81)
# cwm: integer_root(50)
def integer_root(n: int) -> int:
    """The largest r with r * r <= n."""
    low, high = 0, n + 1
    while high - low > 1:
        mid = (low + high) // 2
        if mid * mid <= n:
            low = mid
        else:
            high = mid
    return low


# cwm: ticket_price(4, False)
# cwm: ticket_price(15, True)
# cwm: ticket_price(35, False)
# cwm: ticket_price(70, True)
# cwm: ticket_price(67, False)
def ticket_price(age: int, student: bool) -> int:
    price = 12
    if age < 6:
        price = 0
    elif age < 18 or student:
        price -= 5
    elif age >= 65:
        price = price * 3 // 4
    if price > 0 and student and age >= 65:
        price -= 1
    return price


# cwm: round_to_step(17, 5)
# cwm: round_to_step(18, 5)
# cwm: round_to_step(-7, 4)
# cwm: round_to_step(30, 10)
def round_to_step(x: int, step: int) -> int:
    remainder = x % step
    down = x - remainder
    if remainder * 2 >= step:
        return down + step
    return down


# cwm: compound(100, 10, 3)
# cwm: compound(50, 0, 2)
# cwm: compound(80, -25, 2)
# cwm: compound(99, 5, 0)
def compound(amount: int, percent: int, years: int) -> int:
    for _ in range(years):
        gain = amount * percent // 100
        amount += gain
    return amount


# cwm: power_mod(2, 10, 7)
# cwm: power_mod(5, 3, 13)
# cwm: power_mod(9, 0, 4)
# cwm: power_mod(3, 13, 10)
def power_mod(base: int, exponent: int, modulus: int) -> int:
    result = 1
    base %= modulus
    while exponent > 0:
        if exponent & 1:
            result = result * base % modulus
        base = base * base % modulus
        exponent >>= 1
    return result


# cwm: triangle_kind(3, 3, 3)
# cwm: triangle_kind(5, 5, 8)
# cwm: triangle_kind(3, 4, 5)
# cwm: triangle_kind(1, 2, 9)
# cwm: triangle_kind(4, 6, 7)
def triangle_kind(a: int, b: int, c: int) -> str:
    shortest, middle, longest = sorted([a, b, c])
    if shortest + middle <= longest:
        return "impossible"
    if shortest == longest:
        return "equilateral"
    if shortest == middle or middle == longest:
        return "isosceles"
    if shortest ** 2 + middle ** 2 == longest ** 2:
        return "right"
    return "scalene"


# cwm: trailing_zero_bits(8)
# cwm: trailing_zero_bits(12)
# cwm: trailing_zero_bits(7)
# cwm: trailing_zero_bits(96)
# cwm: trailing_zero_bits(0)
def trailing_zero_bits(n: int) -> int:
    if n == 0:
        return -1
    bits = 0
    while n & 1 == 0:
        n >>= 1
        bits += 1
    return bits


# cwm: average(4, 8)
# cwm: average(3, 4, 8)
# cwm: average()
# cwm: average(-5)
# cwm: average(1, 2, 3, 5)
def average(*values: int) -> float:
    total = 0
    n = 0
    for value in values:
        total += value
        n += 1
    if n == 0:
        return 0.0
    return total / n


# cwm: distance_on_ring(1, 9, 12)
# cwm: distance_on_ring(3, 5, 12)
# cwm: distance_on_ring(0, 0, 5)
# cwm: distance_on_ring(11, 0, 12)
def distance_on_ring(a: int, b: int, size: int) -> int:
    forward = (b - a) % size
    backward = (a - b) % size
    if forward <= backward:
        return forward
    return -backward


# cwm: pay_with_coins(68)
# cwm: pay_with_coins(3)
# cwm: pay_with_coins(0)
# cwm: pay_with_coins(50)
def pay_with_coins(cents: int) -> dict[int, int]:
    coins = {}
    for coin in (50, 20, 10, 5, 2, 1):
        count = cents // coin
        if count:
            coins[coin] = count
            cents -= count * coin
        if cents == 0:
            break
    return coins
