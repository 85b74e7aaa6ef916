"""Held out, never train on this: programs that measure cwm-mini. Everyday numbers and strings."""
# ruff: noqa: B007, B905, SIM110

FREE_SHIPPING_FROM = 50


# cwm: parking_fee(45)
# cwm: parking_fee(200)
# cwm: parking_fee(1500)
def parking_fee(minutes: int) -> int:
    if minutes <= 30:
        return 0
    hours = -(-minutes // 60)
    fee = 2
    for hour in range(2, hours + 1):
        fee += 1
        if fee == 15:
            break
    return fee


# cwm: check_digit(1234)
# cwm: check_digit(9)
# cwm: check_digit(80503)
def check_digit(number: int) -> int:
    weight = 3
    total = 0
    while number:
        total += (number % 10) * weight
        weight = 4 - weight
        number = number // 10
    return (10 - total % 10) % 10


# cwm: order_total([12, 30], 2)
# cwm: order_total([20, 35, 5], 0)
# cwm: order_total([], 1)
def order_total(prices: list[int], coupons: int) -> int:
    total = sum(prices)
    while coupons > 0 and total >= 10:
        total -= 5
        coupons -= 1
    if total < FREE_SHIPPING_FROM:
        total += 4
    return total


# cwm: roman_small(14)
# cwm: roman_small(39)
# cwm: roman_small(4)
def roman_small(n: int) -> str:
    text = ""
    for value, letters in ((10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I")):
        while n >= value:
            text += letters
            n -= value
    return text


# cwm: grade(91, 2)
# cwm: grade(58, 0)
# cwm: grade(73, 9)
def grade(points: int, missed: int) -> str:
    """A letter, with a minus for who missed many lessons."""
    if missed > 8:
        points -= 10
    if points >= 90:
        letter = "A"
    elif points >= 75:
        letter = "B"
    elif points >= 60:
        letter = "C"
    else:
        return "F"
    if missed >= 3:
        letter += "-"
    return letter


# cwm: overlap(1, 5, 3, 9)
# cwm: overlap(2, 4, 6, 8)
# cwm: overlap(0, 10, 4, 5)
def overlap(start_a: int, end_a: int, start_b: int, end_b: int) -> int:
    start = max(start_a, start_b)
    end = min(end_a, end_b)
    if end < start:
        return 0
    return end - start


# cwm: vowel_swap("table")
# cwm: vowel_swap("sky")
# cwm: vowel_swap("audio")
def vowel_swap(word: str) -> str:
    letters = list(word)
    i, j = 0, len(letters) - 1
    while i < j:
        if letters[i] not in "aeiou":
            i += 1
        elif letters[j] not in "aeiou":
            j -= 1
        else:
            letters[i], letters[j] = letters[j], letters[i]
            i += 1
            j -= 1
    return "".join(letters)


# cwm: run_lengths("aaab")
# cwm: run_lengths("")
# cwm: run_lengths("xyyz")
def run_lengths(text: str) -> str:
    out = ""
    i = 0
    while i < len(text):
        j = i
        while j < len(text) and text[j] == text[i]:
            j += 1
        out += text[i] + str(j - i)
        i = j
    return out


# cwm: acronym_matches("nasa", "north air space area")
# cwm: acronym_matches("ab", "alpha")
# cwm: acronym_matches("tv", "tele vision")
def acronym_matches(short: str, phrase: str) -> bool:
    words = phrase.split(" ")
    if len(words) != len(short):
        return False
    for letter, word in zip(short, words):
        if not word.startswith(letter):
            return False
    return True


# cwm: pluralize("box")
# cwm: pluralize("city")
# cwm: pluralize("toy")
def pluralize(noun: str) -> str:
    last = noun[-1]
    if last in "sx" or noun.endswith("ch"):
        return noun + "es"
    before = noun[-2]
    if last == "y" and before not in "aeiou":
        return noun[:-1] + "ies"
    return noun + "s"


# cwm: unescape("a%nb")
# cwm: unescape("50%%")
# cwm: unescape("x%q%")
def unescape(text: str) -> str:
    result = []
    escaped = False
    for ch in text:
        if escaped:
            if ch == "n":
                result.append("/")
            elif ch == "%":
                result.append("%")
            else:
                result.append("?")
            escaped = False
        elif ch == "%":
            escaped = True
        else:
            result.append(ch)
    return "".join(result)


# cwm: ordinal(1)
# cwm: ordinal(12)
# cwm: ordinal(23)
def ordinal(n: int) -> str:
    ending = "th"
    if n // 10 % 10 != 1:
        last = n % 10
        if last == 1:
            ending = "st"
        elif last == 2:
            ending = "nd"
        elif last == 3:
            ending = "rd"
    return f"{n}{ending}"


# cwm: perfect_power(8)
# cwm: perfect_power(12)
# cwm: perfect_power(25)
def perfect_power(n: int) -> tuple[int, int] | None:
    base = 2
    while base * base <= n:
        value = base * base
        exponent = 2
        while value < n:
            value *= base
            exponent += 1
        if value == n:
            return base, exponent
        base += 1
    return None


# cwm: water_bill(3)
# cwm: water_bill(14)
# cwm: water_bill(31)
def water_bill(cubic: int) -> int:
    steps = [(5, 1), (15, 2), (40, 4)]
    bill, below = 0, 0
    for upto, price in steps:
        if cubic <= below:
            break
        used = min(cubic, upto) - below
        bill += used * price
        below = upto
    return bill
