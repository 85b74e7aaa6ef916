"""Whether brackets close in the right order."""


# cwm: balanced("(a(b)c)") -> True
def balanced(text):
    """
    >>> balanced("()()")
    True
    >>> balanced("(()")
    False
    >>> balanced(")(")
    False
    >>> balanced("no brackets")
    True
    """
    depth = 0
    for letter in text:
        if letter == "(":
            depth += 1
        elif letter == ")":
            depth -= 1
        if ?:
            return False
    return depth == 0
