"""Adds up the numbers of a list of texts, leaving out the texts that are not numbers."""


def parse_number(text):
    if not text.isdigit():
        raise ValueError("not a number")
    return int(text)


# cwm: sum_texts(["4", "x", "9"]) -> 13
def sum_texts(texts):
    total = 0
    for text in texts:
        try:
            number = parse_number(text)
        except ValueError:
            continue
        total += number
    return total
