"""Seed programs for training cwm-mini: raising, catching, and cleaning up."""
# ruff: noqa: B904, N818, TRY301


class TooHeavy(Exception):
    pass


# cwm: safe_divide(8, 2)
# cwm: safe_divide(5, 0)
# cwm: safe_divide(0, 3)
# cwm: safe_divide(-9, 4)
def safe_divide(a: int, b: int) -> float | None:
    try:
        answer = a / b
    except ZeroDivisionError:
        answer = None
    return answer


# cwm: parse_number("42")
# cwm: parse_number("4x")
# cwm: parse_number("")
# cwm: parse_number(" -7 ")
def parse_number(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = -1
    return value


# cwm: get_or_default({"a": 1}, "a", 9)
# cwm: get_or_default({"a": 1}, "b", 9)
# cwm: get_or_default({}, "x", 0)
# cwm: get_or_default({"k": -3}, "k", 5)
def get_or_default(table: dict[str, int], key: str, default: int) -> int:
    try:
        found = table[key]
    except KeyError:
        table[key] = default
        return default
    return found


# cwm: sum_valid(["1", "two", "3"])
# cwm: sum_valid([])
# cwm: sum_valid(["x", "y"])
# cwm: sum_valid(["10", "-4", "", "1"])
def sum_valid(texts: list[str]) -> tuple[int, int]:
    total = 0
    bad = 0
    for text in texts:
        try:
            total += int(text)
        except ValueError:
            bad += 1
    return total, bad


# cwm: withdraw(50, 20)
# cwm: withdraw(50, 80)
# cwm: withdraw(10, -5)
# cwm: withdraw(30, 30)
# raises: ValueError
def withdraw(balance: int, amount: int) -> int:
    if amount < 0:
        raise ValueError("amount is negative")
    if amount > balance:
        raise ValueError(f"short by {amount - balance}")
    balance -= amount
    return balance


# cwm: pick([4, 5, 6], 1)
# cwm: pick([4], 3)
# cwm: pick([], 0)
# cwm: pick([7, 8], -2)
def pick(items: list[int], index: int) -> str:
    try:
        item = items[index]
    except IndexError as error:
        message = str(error)
        return "error: " + message
    else:
        return f"item {item}"


# cwm: cleanup_log(2)
# cwm: cleanup_log(0)
# cwm: cleanup_log(-1)
# cwm: cleanup_log(7)
def cleanup_log(n: int) -> list[str]:
    log = ["open"]
    try:
        log.append(str(10 // n))
    except ZeroDivisionError:
        log.append("zero")
    finally:
        log.append("close")
    return log


# cwm: load_all([3, 4, 2], 10)
# cwm: load_all([6, 7], 10)
# cwm: load_all([], 5)
# cwm: load_all([1, 9, 1], 10)
def load_all(weights: list[int], limit: int) -> str:
    load = 0
    try:
        for w in weights:
            load = add_weight(load, w, limit)
    except TooHeavy as problem:
        return f"{problem} at {load}"
    return f"loaded {load}"


def add_weight(load: int, weight: int, limit: int) -> int:
    new_load = load + weight
    if new_load > limit:
        raise TooHeavy("too heavy")
    return new_load


# cwm: check_age("30")
# cwm: check_age("abc")
# cwm: check_age("-2")
# cwm: check_age("0")
def check_age(text: str) -> str:
    try:
        age = int(text)
        if age < 0:
            raise ValueError("negative")
        result = "ok"
    except ValueError as e:
        result = "bad" if "negative" in str(e) else "not a number"
    return result


# cwm: retry([0, 0, 5])
# cwm: retry([4])
# cwm: retry([0, 0])
# cwm: retry([])
def retry(divisors: list[int]) -> int | None:
    attempts = 0
    for d in divisors:
        attempts += 1
        try:
            result = 100 // d
        except ZeroDivisionError:
            continue
        return result + attempts
    return None


# cwm: first_char("tea")
# cwm: first_char("")
# cwm: first_char("  x")
# cwm: first_char("9 lives")
def first_char(text: str) -> str:
    try:
        ch = text.strip()[0]
    except IndexError:
        return "?"
    if ch.isdigit():
        return "#"
    return ch


# cwm: describe_failure([1, 2], 0)
# cwm: describe_failure([0, 2], 0)
# cwm: describe_failure([3], 4)
# cwm: describe_failure([5], 0)
def describe_failure(numbers: list[int], at: int) -> str:
    try:
        quotient = 60 // numbers[at]
        text = "got " + str(quotient)
    except IndexError:
        text = "no such place"
    except ZeroDivisionError:
        text = "divided by zero"
    return text


# cwm: pop_twice([1, 2, 3])
# cwm: pop_twice([1])
# cwm: pop_twice([])
# cwm: pop_twice([8, 8])
def pop_twice(stack: list[int]) -> int:
    popped = 0
    try:
        popped += stack.pop()
        popped += stack.pop()
    except IndexError:
        popped = -popped - 1
    return popped


# cwm: require_all({"name": "x", "size": "3"})
# cwm: require_all({"name": "y"})
# cwm: require_all({})
# cwm: require_all({"name": "z", "size": "big"})
# raises: KeyError, ValueError
def require_all(record: dict[str, str]) -> tuple[str, int]:
    name = record["name"]
    size = record["size"]
    number = int(size)
    return name, number


# cwm: outer_guard(4)
# cwm: outer_guard(0)
# cwm: outer_guard(-3)
# cwm: outer_guard(25)
def outer_guard(n: int) -> str:
    status = "start"
    try:
        status = inner_guard(n)
    except RuntimeError as err:
        status = f"failed: {err}"
    return status.upper()


def inner_guard(n: int) -> str:
    try:
        share = 20 // n
    except ZeroDivisionError:
        raise RuntimeError("no share")
    if share < 1:
        raise RuntimeError("too small")
    return f"share {share}"


# cwm: counted_finally([2, 0, 4])
# cwm: counted_finally([1])
# cwm: counted_finally([])
# cwm: counted_finally([0, 0])
def counted_finally(values: list[int]) -> tuple[int, int]:
    done = good = 0
    for v in values:
        try:
            if v == 0:
                continue
            good += 12 // v
        finally:
            done += 1
    return done, good


# cwm: to_int_list("1 2 3")
# cwm: to_int_list("4 x 5")
# cwm: to_int_list("")
# cwm: to_int_list("-1 q")
def to_int_list(line: str) -> list[int | None]:
    out: list[int | None] = []
    for token in line.split():
        try:
            out.append(int(token))
        except ValueError:
            out.append(None)
    return out
