"""Keeps the balances of a few people in a dictionary and books payments between them."""


def transfer(accounts, sender, receiver, amount):
    if accounts[sender] < amount:
        return False
    accounts[sender] -= amount
    accounts[receiver] += amount
    return True


# cwm: settle({"ann": 20, "bob": 5}) -> {'ann': 18, 'bob': 7}
def settle(accounts):
    payments = [("ann", "bob", 8), ("bob", "ann", 30), ("bob", "ann", 6)]
    for sender, receiver, amount in payments:
        done = transfer(accounts, sender, receiver, amount)
        if not done:
            print("no money:", sender)
    return accounts
