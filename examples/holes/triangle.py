"""A triangle drawn with stars."""


# cwm: triangle(1) -> '*'
def triangle(height):
    """
    >>> print(triangle(3))
    *
    **
    ***
    >>> triangle(2)
    '*\\n**'
    >>> triangle(0)
    ''
    """
    rows = []
    for row in range(1, ?):
        rows.append("*" * row)
    return "\n".join(rows)
