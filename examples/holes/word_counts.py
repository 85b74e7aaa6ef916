"""How often each word is there."""


# cwm: word_counts("red blue red") -> {'red': 2, 'blue': 1}
def word_counts(text):
    """
    >>> word_counts("a b a c a")
    {'a': 3, 'b': 1, 'c': 1}
    >>> word_counts("one")
    {'one': 1}
    >>> word_counts("")
    {}
    """
    counts = {}
    for word in text.split():
        counts[word] = ?
    return counts
