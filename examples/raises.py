"""Pays bills from a purse until one of them is too high and an error leaves the program."""


def withdraw(balance, amount):
    if amount > balance:
        raise ValueError("not enough money")
    return balance - amount


# cwm: pay_all(20, [5, 9, 8])
def pay_all(balance, bills):
    for bill in bills:
        balance = withdraw(balance, bill)
    return balance
