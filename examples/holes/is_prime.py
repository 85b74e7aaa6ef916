"""Prime numbers by trial division."""


# cwm: is_prime(13) -> True
def is_prime(number):
    """
    >>> is_prime(2)
    True
    >>> is_prime(9)
    False
    >>> is_prime(15)
    False
    >>> is_prime(1)
    False
    >>> is_prime(17)
    True
    """
    if number < 2:
        return False
    for divisor in range(2, number):
        if ?:
            return False
    return True
