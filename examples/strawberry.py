"""Counts how often a letter occurs in a word and puts the answer into a sentence."""


def count_letter(word, letter):
    count = 0
    for char in word:
        if char == letter:
            count += 1
    return count


def format_answer(parts):
    word, letter, count = parts
    return f"{word} has {count:02d} {letter}"


# cwm: how_many("strawberry", "r") -> 'strawberry has 03 r'
def how_many(word, letter):
    count = count_letter(word, letter)
    return format_answer([word, letter, count])
