"""Held out, never train on this: programs that measure cwm-mini. Text, formats and comprehensions."""
# ruff: noqa: B905

MORSE = {"e": ".", "t": "-", "a": ".-", "n": "-.", "s": "...", "o": "---"}


# cwm: to_morse("eat")
# cwm: to_morse("so x")
# cwm: to_morse("")
def to_morse(text: str) -> str:
    codes = []
    for letter in text:
        if letter == " ":
            codes.append("/")
        else:
            codes.append(MORSE.get(letter, "#"))
    return " ".join(codes)


# cwm: license_plate("ab12cd", 4)
# cwm: license_plate("xyz", 2)
# cwm: license_plate("a-b-1", 3)
def license_plate(raw: str, size: int) -> str:
    clean = raw.replace("-", "").upper()
    first = len(clean) % size
    groups = [clean[:first]] if first else []
    for i in range(first, len(clean), size):
        groups.append(clean[i:i + size])
    return "-".join(groups)


# cwm: caesar_crack("khoor", "hello")
# cwm: caesar_crack("abc", "abc")
# cwm: caesar_crack("xy", "ba")
def caesar_crack(secret: str, plain: str) -> int | None:
    shifts = {(ord(s) - ord(p)) % 26 for s, p in zip(secret, plain)}
    if len(shifts) == 1:
        return shifts.pop()
    return None


# cwm: pad_table([["id", "n"], ["7", "ann"]])
# cwm: pad_table([["x"]])
# cwm: pad_table([["a", "bc"], ["def", "g"]])
def pad_table(rows: list[list[str]]) -> list[str]:
    widths = [max(len(row[c]) for row in rows) for c in range(len(rows[0]))]
    lines = []
    for row in rows:
        line = ""
        for cell, width in zip(row, widths):
            line += cell.ljust(width) + "|"
        lines.append(line)
    return lines


# cwm: expand("a3b2")
# cwm: expand("x12")
# cwm: expand("qz1")
def expand(packed: str) -> str:
    result = ""
    letter = ""
    count = 0
    for ch in packed + "$":
        if ch.isdigit():
            count = count * 10 + int(ch)
        else:
            result += letter * max(count, 1)
            letter, count = ch, 0
    return result


# cwm: remove_comments("x = 1 # one")
# cwm: remove_comments("s = '#' # hash")
# cwm: remove_comments("#")
def remove_comments(line: str) -> str:
    in_quotes = False
    for i, ch in enumerate(line):
        if ch == "'":
            in_quotes = not in_quotes
        if ch == "#" and not in_quotes:
            return line[:i].rstrip()
    return line


# cwm: word_ladder_step("cat", ["dog", "cot", "bat"])
# cwm: word_ladder_step("go", ["going", "at"])
# cwm: word_ladder_step("", [])
def word_ladder_step(word: str, options: list[str]) -> list[str]:
    neighbours = []
    for option in options:
        if len(option) != len(word):
            continue
        changed = sum(1 for a, b in zip(word, option) if a != b)
        if changed == 1:
            neighbours.append(option)
    return neighbours


# cwm: duration_text(3661)
# cwm: duration_text(120)
# cwm: duration_text(0)
def duration_text(seconds: int) -> str:
    names = (("h", 3600), ("min", 60), ("s", 1))
    parts = []
    for name, length in names:
        amount, seconds = divmod(seconds, length)
        if amount:
            parts.append(f"{amount} {name}")
    return ", ".join(parts) or "now"


# cwm: hex_color("#ff8000")
# cwm: hex_color("#0f")
# cwm: hex_color("12zz34")
def hex_color(code: str) -> tuple[int, ...]:
    if code.startswith("#"):
        code = code[1:]
    channels: list[int] = []
    while len(code) >= 2:
        pair, code = code[:2], code[2:]
        try:
            channels.append(int(pair, 16))
        except ValueError:
            channels.append(0)
    return tuple(channels)


# cwm: alternate_case_score("aBcD")
# cwm: alternate_case_score("AB")
# cwm: alternate_case_score("x")
def alternate_case_score(text: str) -> int:
    score = 0
    k = len(text) - 1
    while k > 0:
        if text[k].isupper() == text[k - 1].isupper():
            score -= 2
        else:
            score += 1
        k -= 1
    return score


# cwm: rhyme_groups(["cat", "hat", "dog"])
# cwm: rhyme_groups([])
# cwm: rhyme_groups(["go", "no", "so", "it"])
def rhyme_groups(words: list[str]) -> list[list[str]]:
    groups: list[list[str]] = []
    for word in words:
        for group in groups:
            if group[0][-2:] == word[-2:] or group[0][-1] == word[-1]:
                group.append(word)
                break
        else:
            groups.append([word])
    return groups


# cwm: typing("helo<lo")
# cwm: typing("<<a")
# cwm: typing("ab>c")
def typing(keys: str) -> str:
    screen: list[str] = []
    for key in keys:
        if key == "<" and screen:
            screen.pop()
        elif key == ">":
            screen.clear()
        elif key != "<":
            screen.append(key)
    return "".join(screen)


# cwm: count_sentences("Hi. How? ok")
# cwm: count_sentences("...")
# cwm: count_sentences("")
def count_sentences(text: str) -> int:
    ends = 0
    inside = False
    for ch in text:
        if ch in ".?!":
            if inside:
                ends += 1
            inside = False
        elif ch != " ":
            inside = True
    return ends + inside
