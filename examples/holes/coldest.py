"""The coldest day of a list of measurements."""


# cwm: coldest([("Mon", 3), ("Tue", -2), ("Wed", 0)]) -> 'Tue'
def coldest(days):
    """The name of the day with the lowest temperature; of several the first.

    >>> coldest([("Mon", 12)])
    'Mon'
    >>> coldest([("Sat", 21), ("Sun", 19)])
    'Sun'
    >>> coldest([("Jan", -8), ("Feb", -9), ("Mar", -9)])
    'Feb'
    """
    name, lowest = ?
    for day, degrees in days:
        if degrees < lowest:
            name, lowest = day, degrees
    return name
