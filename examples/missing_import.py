"""Finds the warmest day in readings of a sensor whose library is not installed here."""

import attic_thermometer


# cwm: warmest_day([14, 21, 19, 24, 17]) -> 3
def warmest_day(readings):
    best = 0
    for day in range(len(readings)):
        if readings[day] > readings[best]:
            best = day
    return best


def warmest_day_of_week():
    return warmest_day(attic_thermometer.last_readings(7))
