"""Digits multiplied with one another."""


# cwm: digit_product(99) -> 81
def digit_product(number):
    """
    >>> digit_product(234)
    24
    >>> digit_product(7)
    7
    >>> digit_product(105)
    0
    """
    product = ?
    for digit in str(number):
        product *= int(digit)
    return product
