"""Held out, never train on this: programs that measure cwm-mini. Recursion, errors, helpers and classes."""
# ruff: noqa: PLR1730, RUF059, S105, TRY301


# cwm: ackermann_small(1, 1)
# cwm: ackermann_small(0, 5)
# cwm: ackermann_small(1, 2)
def ackermann_small(m: int, n: int) -> int:
    if m == 0:
        return n + 1
    if n == 0:
        return ackermann_small(m - 1, 1)
    inner = ackermann_small(m, n - 1)
    return ackermann_small(m - 1, inner)


# cwm: tree_height((3, (1, None, None), None))
# cwm: tree_height(None)
# cwm: tree_height((5, None, (6, None, None)))
def tree_height(node: tuple | None) -> int:
    if node is None:
        return 0
    value, left, right = node
    return 1 + max(tree_height(left), tree_height(right))


# cwm: unwrap("((ab))")
# cwm: unwrap("x")
# cwm: unwrap("(tuna")
def unwrap(text: str, layers: int = 0) -> str:
    opened = text.startswith("(")
    if opened and text.endswith(")"):
        return unwrap(text[1:-1], layers + 1)
    if opened:
        text += "!"
    return text + str(layers)


# cwm: outfits(["hat"], ["red", "blue"])
# cwm: outfits([], ["red"])
# cwm: outfits(["hat", "sock"], ["red"])
def outfits(clothes: list[str], colors: list[str]) -> list[str]:
    if not clothes:
        return ["."]
    *others, last = clothes
    found = []
    for start in outfits(others, colors):
        for color in colors:
            found.append(f"{start}{color} {last}.")
    return found


# cwm: read_config("size=4;depth=x")
# cwm: read_config("size=7")
# cwm: read_config("depth")
def read_config(line: str) -> dict[str, int]:
    settings = {"size": 1, "depth": 2}
    for item in line.split(";"):
        try:
            key, value = item.split("=")
            settings[key] = int(value)
        except ValueError:
            settings["errors"] = settings.get("errors", 0) + 1
    return settings


# cwm: evaluate_rpn("3 4 + 2 *")
# cwm: evaluate_rpn("5 0 /")
# cwm: evaluate_rpn("1 +")
# raises: IndexError
def evaluate_rpn(expression: str) -> int | None:
    stack: list[int] = []
    for token in expression.split():
        if token.isdigit():
            stack.append(int(token))
            continue
        b = stack.pop()
        a = stack.pop()
        if token == "+":
            stack.append(a + b)
        elif token == "*":
            stack.append(a * b)
        elif b == 0:
            return None
        else:
            stack.append(a // b)
    return stack[-1]


class Lift:
    def __init__(self, floors: int) -> None:
        self.floors = floors
        self.at = 0
        self.travelled = 0

    def go(self, floor: int) -> bool:
        if not 0 <= floor < self.floors:
            return False
        self.travelled += abs(floor - self.at)
        self.at = floor
        return True


# cwm: ride(5, [3, 1])
# cwm: ride(3, [7])
# cwm: ride(4, [2, 9, 0])
def ride(floors: int, stops: list[int]) -> tuple[int, int]:
    lift = Lift(floors)
    refused = 0
    for stop in stops:
        if not lift.go(stop):
            refused += 1
    return lift.travelled, refused


# cwm: validate_password("short")
# cwm: validate_password("longenough1")
# cwm: validate_password("nodigitshere")
# raises: ValueError
def validate_password(word: str) -> str:
    problems = []
    if len(word) < 8:
        problems.append("too short")
    has_digit = any(c.isdigit() for c in word)
    if not has_digit:
        problems.append("no digit")
    if problems:
        raise ValueError(", ".join(problems))
    return "*" * len(word)


def apply_discount(price: int, percent: int) -> int:
    saved = price * percent // 100
    return price - saved


def best_offer(price: int, offers: list[int]) -> int:
    best = price
    for percent in offers:
        reduced = apply_discount(price, percent)
        if reduced < best:
            best = reduced
    return best


# cwm: shop([40, 10], [5, 20])
# cwm: shop([9], [])
# cwm: shop([], [50])
def shop(prices: list[int], offers: list[int]) -> dict[str, int]:
    paid = {"cheap": 0, "dear": 0}
    while prices:
        price = best_offer(prices.pop(), offers)
        kind = "cheap" if price < 20 else "dear"
        paid[kind] += price
    return paid


# cwm: make_counter(3, 2)
# cwm: make_counter(0, 5)
# cwm: make_counter(10, -4)
def make_counter(start: int, step: int) -> list[int]:
    current = start

    def advance() -> int:
        nonlocal current
        current += step
        return current

    first = advance()
    second = advance()
    return [first, second, current]


# cwm: close_files(["a", "b"], "b")
# cwm: close_files(["a"], "z")
# cwm: close_files([], "a")
def close_files(names: list[str], broken: str) -> list[str]:
    log = []
    for name in names:
        try:
            if name == broken:
                raise OSError(name)
            log.append("closed " + name)
        except OSError as failure:
            log.append(f"lost {failure}")
        finally:
            log.append("next")
    return log


# cwm: cut_planks(9, 4)
# cwm: cut_planks(3, 5)
# cwm: cut_planks(10, 3)
def cut_planks(length: int, longest: int) -> dict[int, int]:
    if length <= longest:
        return {length: 1}
    half = length // 2
    pieces = cut_planks(half, longest)
    for size, n in cut_planks(length - half, longest).items():
        pieces[size] = pieces.get(size, 0) + n
    return pieces


# cwm: walk_path({"a": {"b": {"c": 3}}}, "a.b.c")
# cwm: walk_path({"a": 1}, "a.b")
# cwm: walk_path({"x": {}}, "x.y")
def walk_path(tree: dict, path: str) -> object:
    here = tree
    for step in path.split("."):
        try:
            here = here[step]
        except KeyError:
            return f"no {step}"
        except TypeError:
            return f"{step} below a leaf"
    return here
