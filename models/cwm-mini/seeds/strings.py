"""Seed programs for training cwm-mini: taking strings apart and putting them together."""
# ruff: noqa: PLR1730, RET504

VOWELS = "aeiou"


# cwm: count_vowels("banana")
# cwm: count_vowels("Ohio")
# cwm: count_vowels("")
# cwm: count_vowels("rhythm")
# cwm: count_vowels("queue")
def count_vowels(text: str) -> int:
    count = 0
    for ch in text.lower():
        if ch in VOWELS:
            count += 1
    return count


# cwm: mirror("abc")
# cwm: mirror("x")
# cwm: mirror("")
# cwm: mirror("no on")
def mirror(word: str) -> str:
    back = ""
    for letter in word:
        back = letter + back
    return word + "|" + back


# cwm: initials("ada lovelace")
# cwm: initials("Grace  Brewster hopper")
# cwm: initials("plato")
# cwm: initials("   ")
def initials(name: str) -> str:
    letters = []
    for part in name.split():
        letters.append(part[0].upper() + ".")
    return " ".join(letters)


# cwm: squeeze("aabbb")
# cwm: squeeze("hello  all")
# cwm: squeeze("")
# cwm: squeeze("zzzz")
# cwm: squeeze("abc")
def squeeze(text: str) -> str:
    """Leaves one of each run of equal letters."""
    result = ""
    last = ""
    for ch in text:
        if ch != last:
            result += ch
            last = ch
    return result


# cwm: shift_letter("a", 3)
# cwm: shift_letter("Y", 4)
# cwm: shift_letter("?", 9)
# cwm: shift_letter("m", -13)
def shift_letter(ch: str, by: int) -> str:
    if not ch.isalpha():
        return ch
    start = ord("A") if ch.isupper() else ord("a")
    place = ord(ch) - start
    moved = (place + by) % 26
    return chr(start + moved)


# cwm: snake_to_camel("max_value")
# cwm: snake_to_camel("x")
# cwm: snake_to_camel("is_it_on")
# cwm: snake_to_camel("_hidden")
def snake_to_camel(name: str) -> str:
    head, *tail = name.split("_")
    camel = head
    for piece in tail:
        camel += piece.capitalize()
    return camel


# cwm: camel_to_snake("maxValue")
# cwm: camel_to_snake("aBC")
# cwm: camel_to_snake("plain")
# cwm: camel_to_snake("")
def camel_to_snake(name: str) -> str:
    out: list[str] = []
    for i, ch in enumerate(name):
        if ch.isupper():
            if i > 0:
                out.append("_")
            out.append(ch.lower())
        else:
            out.append(ch)
    return "".join(out)


# cwm: common_start("flower", "flow")
# cwm: common_start("car", "dog")
# cwm: common_start("", "abc")
# cwm: common_start("train", "trail")
# cwm: common_start("same", "same")
def common_start(a: str, b: str) -> str:
    i = 0
    while i < len(a) and i < len(b):
        if a[i] != b[i]:
            break
        i += 1
    return a[:i]


# cwm: hide_middle("secret")
# cwm: hide_middle("hi")
# cwm: hide_middle("cat")
# cwm: hide_middle("password12")
def hide_middle(word: str) -> str:
    if len(word) <= 2:
        return "*" * len(word)
    stars = "*" * (len(word) - 2)
    hidden = word[0] + stars + word[-1]
    return hidden


# cwm: brackets_depth("(a(b)c)")
# cwm: brackets_depth("()()")
# cwm: brackets_depth("abc")
# cwm: brackets_depth("((x)")
# cwm: brackets_depth(")(")
def brackets_depth(text: str) -> int:
    depth = 0
    deepest = 0
    for ch in text:
        if ch == "(":
            depth += 1
            if depth > deepest:
                deepest = depth
        elif ch == ")":
            depth -= 1
            if depth < 0:
                return -1
    if depth != 0:
        return -1
    return deepest


# cwm: only_digits("a1b22")
# cwm: only_digits("+49 30/12")
# cwm: only_digits("none")
# cwm: only_digits("007")
def only_digits(text: str) -> int:
    digits = ""
    for ch in text:
        if "0" <= ch <= "9":
            digits += ch
    if digits == "":
        return 0
    return int(digits)


# cwm: longest_word("the quick fox")
# cwm: longest_word("one two six")
# cwm: longest_word("")
# cwm: longest_word("a bbb cc dddd e")
def longest_word(sentence: str) -> str:
    best = ""
    for word in sentence.split():
        if len(word) > len(best):
            best = word
    return best


# cwm: swap_ends("hello")
# cwm: swap_ends("ab")
# cwm: swap_ends("q")
# cwm: swap_ends("")
def swap_ends(s: str) -> str:
    if len(s) < 2:
        return s
    first, middle, last = s[0], s[1:-1], s[-1]
    first, last = last, first
    return first + middle + last


# cwm: zigzag("abcdef")
# cwm: zigzag("xy")
# cwm: zigzag("")
# cwm: zigzag("Tea 4 U")
def zigzag(text: str) -> str:
    upper = True
    out = ""
    for ch in text:
        if ch.isalpha():
            out += ch.upper() if upper else ch.lower()
            upper = not upper
        else:
            out += ch
    return out


# cwm: repeat_until("ab", 5)
# cwm: repeat_until("xyz", 3)
# cwm: repeat_until("-", 4)
# cwm: repeat_until("", 3)
def repeat_until(piece: str, width: int) -> str:
    if not piece:
        return " " * width
    line = ""
    while len(line) < width:
        line += piece
    return line[:width]


# cwm: replace_each("cat", {"c": "b"})
# cwm: replace_each("level", {"l": "7", "e": "3"})
# cwm: replace_each("", {"a": "b"})
# cwm: replace_each("abba", {})
def replace_each(text: str, table: dict[str, str]) -> str:
    new = ""
    for ch in text:
        new += table.get(ch, ch)
    return new


# cwm: between("a[bc]d", "[", "]")
# cwm: between("no marks", "<", ">")
# cwm: between("x=1;y", "=", ";")
# cwm: between("open(", "(", ")")
def between(text: str, left: str, right: str) -> str:
    start = text.find(left)
    if start == -1:
        return ""
    start += len(left)
    end = text.find(right, start)
    if end == -1:
        return text[start:]
    return text[start:end]


# cwm: same_letters("listen", "silent")
# cwm: same_letters("Tea", "eat")
# cwm: same_letters("ab", "abb")
# cwm: same_letters("aab", "abb")
def same_letters(one: str, two: str) -> bool:
    if len(one) != len(two):
        return False
    remaining = list(two.lower())
    for ch in one.lower():
        if ch not in remaining:
            return False
        remaining.remove(ch)
    return True
