"""Seed programs for training cwm-mini: laying text out, f-strings and string methods."""
# ruff: noqa: PLW2901

UNITS = ["B", "KB", "MB", "GB"]


# cwm: human_size(512)
# cwm: human_size(2048)
# cwm: human_size(0)
# cwm: human_size(5000000)
def human_size(size: int) -> str:
    unit = 0
    while size >= 1024 and unit < len(UNITS) - 1:
        size //= 1024
        unit += 1
    return f"{size} {UNITS[unit]}"


# cwm: clock(5)
# cwm: clock(65)
# cwm: clock(600)
# cwm: clock(1439)
def clock(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    suffix = "am"
    if hours >= 12:
        suffix = "pm"
        hours -= 12
    if hours == 0:
        hours = 12
    return f"{hours}:{rest:02d} {suffix}"


# cwm: bar_chart([2, 0, 3])
# cwm: bar_chart([])
# cwm: bar_chart([5])
# cwm: bar_chart([1, 1, 4, 2])
def bar_chart(values: list[int]) -> list[str]:
    lines = []
    for number, value in enumerate(values, start=1):
        bar = "#" * value
        lines.append(f"{number} {bar}")
    return lines


# cwm: wrap_words("the cat sat", 7)
# cwm: wrap_words("", 5)
# cwm: wrap_words("one two", 3)
# cwm: wrap_words("a b c d", 4)
def wrap_words(text: str, width: int) -> list[str]:
    lines = []
    line = ""
    for word in text.split():
        if not line:
            line = word
        elif len(line) + 1 + len(word) <= width:
            line += " " + word
        else:
            lines.append(line)
            line = word
    if line:
        lines.append(line)
    return lines


# cwm: with_commas(7)
# cwm: with_commas(12345)
# cwm: with_commas(1000)
# cwm: with_commas(98)
def with_commas(n: int) -> str:
    digits = str(n)
    groups = []
    while len(digits) > 3:
        groups.insert(0, digits[-3:])
        digits = digits[:-3]
    groups.insert(0, digits)
    return ",".join(groups)


# cwm: center_in("hi", 6)
# cwm: center_in("hello", 3)
# cwm: center_in("", 2)
# cwm: center_in("abc", 6)
def center_in(text: str, width: int) -> str:
    space = width - len(text)
    if space <= 0:
        return text
    left = space // 2
    right = space - left
    return "." * left + text + "." * right


# cwm: and_list(["a", "b", "c"])
# cwm: and_list(["tea"])
# cwm: and_list([])
# cwm: and_list(["x", "y"])
def and_list(items: list[str]) -> str:
    if not items:
        return "nothing"
    if len(items) == 1:
        return items[0]
    *start, last = items
    text = ", ".join(start)
    return f"{text} and {last}"


# cwm: table_row({"id": 7, "qty": 12})
# cwm: table_row({})
# cwm: table_row({"x": -3})
# cwm: table_row({"a": 1, "b": 22, "c": 333})
def table_row(record: dict[str, int]) -> str:
    row = "|"
    for key, value in record.items():
        cell = f"{key}:{value:>3}"
        row += cell + "|"
    return row


# cwm: title_case("the end of it")
# cwm: title_case("OF mice")
# cwm: title_case("")
# cwm: title_case("a fish")
def title_case(text: str) -> str:
    small = ("of", "the", "a")
    words = text.lower().split()
    for i, word in enumerate(words):
        if i == 0 or word not in small:
            words[i] = word.capitalize()
    return " ".join(words)


# cwm: progress(3, 10)
# cwm: progress(0, 4)
# cwm: progress(5, 5)
# cwm: progress(1, 0)
def progress(done: int, total: int) -> str:
    if total == 0:
        return "[?]"
    percent = 100 * done // total
    filled = percent // 20
    bar = "=" * filled + " " * (5 - filled)
    return f"[{bar}] {percent}%"


# cwm: csv_line(["a", "b,c"])
# cwm: csv_line([])
# cwm: csv_line(["say 'x'"])
# cwm: csv_line(["", "1", "2,3"])
def csv_line(fields: list[str]) -> str:
    cells = []
    for text in fields:
        if "," in text or text == "":
            text = "'" + text + "'"
        cells.append(text)
    return ",".join(cells)


# cwm: indent_levels("a{b{c}}")
# cwm: indent_levels("x")
# cwm: indent_levels("")
# cwm: indent_levels("{p}q")
def indent_levels(code: str) -> list[str]:
    level = 0
    lines: list[str] = []
    for ch in code:
        if ch == "{":
            level += 1
        elif ch == "}":
            level -= 1
        else:
            lines.append("  " * level + ch)
    return lines


# cwm: money(1250)
# cwm: money(-99)
# cwm: money(5)
# cwm: money(0)
def money(cents: int) -> str:
    sign = ""
    if cents < 0:
        sign = "-"
        cents = -cents
    euros = cents // 100
    rest = cents % 100
    return f"{sign}{euros}.{rest:02d} EUR"


# cwm: slug("Hello, World")
# cwm: slug("a  b")
# cwm: slug("")
# cwm: slug("--x9")
def slug(title: str) -> str:
    out = ""
    for ch in title.lower():
        if ch.isalnum():
            out += ch
        elif out and not out.endswith("-"):
            out += "-"
    return out.strip("-")


# cwm: box("hi")
# cwm: box("")
# cwm: box("a/b")
# cwm: box("one/three")
def box(text: str) -> list[str]:
    rows = text.split("/")
    width = max(len(row) for row in rows)
    edge = "+" + "-" * width + "+"
    drawn = [edge]
    for row in rows:
        drawn.append("|" + row.ljust(width) + "|")
    drawn.append(edge)
    return drawn
