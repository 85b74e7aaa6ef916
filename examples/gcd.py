"""Finds the greatest common divisor of two numbers by Euclid's method and uses it to shorten a fraction."""


def gcd(a, b):
    while b != 0:
        rest = a % b
        a = b
        b = rest
    return a


# cwm: shorten(48, 36) -> [4, 3]
def shorten(top, bottom):
    divisor = gcd(top, bottom)
    return [top // divisor, bottom // divisor]
