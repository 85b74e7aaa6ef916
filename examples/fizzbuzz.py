"""Says fizz for multiples of three, buzz for multiples of five, and the number otherwise."""


def say(number):
    if number % 15 == 0:
        return "fizzbuzz"
    if number % 3 == 0:
        return "fizz"
    if number % 5 == 0:
        return "buzz"
    return str(number)


# cwm: fizzbuzz(6) -> ['1', '2', 'fizz', '4', 'buzz', 'fizz']
def fizzbuzz(last):
    words = []
    for number in range(1, last + 1):
        word = say(number)
        words.append(word)
    return words
