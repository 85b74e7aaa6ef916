"""Seed programs for training cwm-mini: functions that call each other, nested functions and small classes."""
# ruff: noqa: SIM114

TAX_PERCENT = 20


def with_tax(net: int) -> int:
    tax = net * TAX_PERCENT // 100
    return net + tax


# cwm: invoice([10, 25])
# cwm: invoice([])
# cwm: invoice([99])
# cwm: invoice([5, 5, 50])
def invoice(items: list[int]) -> int:
    total = 0
    for net in items:
        total += with_tax(net)
    return total


def is_vowel(ch: str) -> bool:
    return ch.lower() in "aeiou"


# cwm: vowel_positions("apple")
# cwm: vowel_positions("")
# cwm: vowel_positions("xyz")
# cwm: vowel_positions("IoU")
def vowel_positions(word: str) -> list[int]:
    places = []
    for i in range(len(word)):
        if is_vowel(word[i]):
            places.append(i)
    return places


def divides(d: int, n: int) -> bool:
    return n % d == 0


def smallest_factor(n: int) -> int:
    d = 2
    while not divides(d, n):
        d += 1
    return d


# cwm: factorize(12)
# cwm: factorize(7)
# cwm: factorize(1)
# cwm: factorize(27)
# cwm: factorize(20)
def factorize(n: int) -> list[int]:
    factors = []
    while n > 1:
        f = smallest_factor(n)
        factors.append(f)
        n //= f
    return factors


def swap(items: list[int], i: int, j: int) -> None:
    items[i], items[j] = items[j], items[i]


# cwm: smallest_first([3, 1, 2])
# cwm: smallest_first([8])
# cwm: smallest_first([4, 4])
# cwm: smallest_first([5, 9, 6, 0])
def smallest_first(items: list[int]) -> list[int]:
    for i in range(1, len(items)):
        if items[i] < items[0]:
            swap(items, 0, i)
    return items


def to_celsius(f: int) -> int:
    return (f - 32) * 5 // 9


def describe(celsius: int) -> str:
    if celsius < 0:
        return "freezing"
    if celsius < 15:
        return "cold"
    return "warm"


# cwm: forecast([20, 70])
# cwm: forecast([])
# cwm: forecast([50])
# cwm: forecast([32, 31, 95])
def forecast(fahrenheit: list[int]) -> list[str]:
    report = []
    for f in fahrenheit:
        c = to_celsius(f)
        text = describe(c)
        report.append(f"{c}: {text}")
    return report


# cwm: apply_twice(5)
# cwm: apply_twice(0)
# cwm: apply_twice(-3)
# cwm: apply_twice(40)
def apply_twice(n: int) -> int:
    def step(x: int) -> int:
        if x % 2 == 0:
            return x // 2
        return x * 3

    once = step(n)
    twice = step(once)
    return twice - n


class Counter:
    def __init__(self, start: int) -> None:
        self.value = start

    def add(self, amount: int) -> None:
        self.value += amount


# cwm: use_counter(1, [2, 3])
# cwm: use_counter(10, [])
# cwm: use_counter(0, [-5])
# cwm: use_counter(7, [1, 1, 1])
def use_counter(start: int, amounts: list[int]) -> int:
    counter = Counter(start)
    for amount in amounts:
        counter.add(amount)
    return counter.value


class Stack:
    def __init__(self) -> None:
        self.items: list[str] = []

    def push(self, item: str) -> None:
        self.items.append(item)

    def pop(self) -> str:
        if not self.items:
            return ""
        return self.items.pop()


# cwm: balanced("[]")
# cwm: balanced("")
# cwm: balanced("[)")
# cwm: balanced("(x)")
# cwm: balanced("]")
def balanced(text: str) -> bool:
    stack = Stack()
    for ch in text:
        if ch in "([":
            stack.push(ch)
        elif ch == ")" and stack.pop() != "(":
            return False
        elif ch == "]" and stack.pop() != "[":
            return False
    return stack.items == []


class Rectangle:
    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height

    def area(self) -> int:
        return self.width * self.height

    def fits_in(self, other: "Rectangle") -> bool:
        return self.width <= other.width and self.height <= other.height


# cwm: compare_boxes(2, 3, 4, 5)
# cwm: compare_boxes(6, 1, 4, 5)
# cwm: compare_boxes(1, 1, 1, 1)
# cwm: compare_boxes(0, 9, 3, 3)
def compare_boxes(w1: int, h1: int, w2: int, h2: int) -> str:
    small = Rectangle(w1, h1)
    large = Rectangle(w2, h2)
    if small.fits_in(large):
        room = large.area() - small.area()
        return f"fits, {room} left"
    return "does not fit"


# cwm: mean_gap([1, 4, 10])
# cwm: mean_gap([5])
# cwm: mean_gap([])
# cwm: mean_gap([2, 2, 8])
def mean_gap(times: list[int]) -> int:
    gaps = gaps_between(times)
    if not gaps:
        return 0
    return sum(gaps) // len(gaps)


def gaps_between(times: list[int]) -> list[int]:
    gaps = []
    previous = times[0] if times else 0
    for t in times[1:]:
        gaps.append(t - previous)
        previous = t
    return gaps


def encode_letter(ch: str, key: int) -> str:
    if ch == " ":
        return "_"
    return chr((ord(ch) - 97 + key) % 26 + 97)


# cwm: encode("abc", 1)
# cwm: encode("xyz", 3)
# cwm: encode("", 5)
# cwm: encode("a b", 0)
def encode(message: str, key: int) -> str:
    secret = ""
    for ch in message:
        secret += encode_letter(ch, key)
    return secret


class Player:
    def __init__(self, name: str, lives: int = 3) -> None:
        self.name = name
        self.lives = lives

    def hit(self) -> bool:
        self.lives -= 1
        return self.lives > 0


# cwm: duel("ann", "bob")
# cwm: duel("al", "beatrix")
# cwm: duel("x", "x")
# cwm: duel("longname", "y")
def duel(first: str, second: str) -> str:
    a = Player(first)
    b = Player(second, lives=2)
    if len(first) < len(second):
        a, b = b, a
    while b.hit():
        a.lives += 1
    return f"{a.name} {a.lives}"


# cwm: compose(3, ["double", "inc"])
# cwm: compose(7, [])
# cwm: compose(5, ["neg", "neg"])
# cwm: compose(2, ["inc", "what", "double"])
def compose(x: int, steps: list[str]) -> int:
    table = {"double": lambda n: n * 2, "inc": lambda n: n + 1, "neg": lambda n: -n}
    for step in steps:
        if step in table:
            x = table[step](x)
    return x


def left_of(text: str, mark: str = ":") -> str:
    return text[:text.index(mark)]


# cwm: keys_of(["a:1", "b:2"])
# cwm: keys_of([])
# cwm: keys_of(["none", "k:v"])
# cwm: keys_of([":x"])
def keys_of(lines: list[str]) -> list[str]:
    keys = []
    for line in lines:
        try:
            keys.append(left_of(line))
        except ValueError:
            keys.append("?")
    return keys
