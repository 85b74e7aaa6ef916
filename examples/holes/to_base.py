"""A number in another base, as text."""


# cwm: to_base(10, 2) -> '1010'
def to_base(number, base):
    """
    >>> to_base(255, 8)
    '377'
    >>> to_base(5, 3)
    '12'
    >>> to_base(7, 7)
    '10'
    >>> to_base(1, 2)
    '1'
    """
    digits = ""
    while number > 0:
        digits = ? + digits
        ?
    return digits
