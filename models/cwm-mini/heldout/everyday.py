"""Held out, never train on this: programs that measure cwm-mini. What small scripts have in them."""

HOLIDAYS = (1, 25)


# cwm: next_workday(6, 31)
# cwm: next_workday(24, 31)
# cwm: next_workday(30, 30)
def next_workday(day: int, days_in_month: int) -> int | None:
    day += 1
    while day <= days_in_month:
        weekend = day % 7 in (0, 6)
        if not weekend and day not in HOLIDAYS:
            return day
        day += 1
    return None


# cwm: loan_months(100, 30, 2)
# cwm: loan_months(50, 50, 10)
# cwm: loan_months(80, 1, 5)
# raises: ValueError
def loan_months(debt: int, payment: int, interest: int) -> int:
    months = 0
    while debt > 0:
        grown = debt + interest
        if grown - payment >= debt:
            raise ValueError("never paid back")
        debt = grown - payment
        months += 1
    return months


# cwm: pick_seats([1, 0, 0, 1], 2)
# cwm: pick_seats([0, 1, 0], 2)
# cwm: pick_seats([0, 0, 0], 1)
def pick_seats(taken: list[int], party: int) -> list[int]:
    free = 0
    for seat, is_taken in enumerate(taken):
        free = 0 if is_taken else free + 1
        if free == party:
            return list(range(seat - party + 1, seat + 1))
    return []


# cwm: inventory_diff({"a": 3, "b": 1}, {"a": 1, "c": 2})
# cwm: inventory_diff({}, {})
# cwm: inventory_diff({"x": 2}, {"x": 2})
def inventory_diff(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    changes = {}
    for key in sorted(before.keys() | after.keys()):
        change = after.get(key, 0) - before.get(key, 0)
        if change != 0:
            changes[key] = change
    return changes


# cwm: smooth([1, 4, 7])
# cwm: smooth([10])
# cwm: smooth([2, 8])
def smooth(signal: list[int]) -> list[float]:
    result = []
    for i in range(len(signal)):
        lo = max(0, i - 1)
        near = signal[lo:i + 2]
        result.append(sum(near) / len(near))
    return result


# cwm: rate_limit([1, 2, 3, 12], 2, 10)
# cwm: rate_limit([], 1, 5)
# cwm: rate_limit([0, 1, 2], 1, 2)
def rate_limit(times: list[int], allowed: int, window: int) -> list[bool]:
    accepted: list[int] = []
    answers = []
    for now in times:
        recent = [t for t in accepted if now - t < window]
        ok = len(recent) < allowed
        if ok:
            accepted.append(now)
        answers.append(ok)
    return answers


# cwm: assign_rooms(["ann", "bob", "cy"], [2, 1])
# cwm: assign_rooms(["x"], [])
# cwm: assign_rooms([], [3])
def assign_rooms(guests: list[str], rooms: list[int]) -> dict[int, list[str]]:
    plan: dict[int, list[str]] = {}
    number = 0
    for guest in guests:
        while number < len(rooms) and len(plan.get(number, [])) >= rooms[number]:
            number += 1
        if number == len(rooms):
            plan.setdefault(-1, []).append(guest)
        else:
            plan.setdefault(number, []).append(guest)
    return plan


# cwm: solar_day([0, 3, 5, 2], 4)
# cwm: solar_day([4, 3], 3)
# cwm: solar_day([9, 0, 0], 2)
def solar_day(sun: list[int], use: int) -> dict[str, int]:
    flows = {"stored": 0, "bought": 0, "sold": 0}
    for power in sun:
        surplus = power - use
        if surplus >= 0:
            room = 3 - flows["stored"]
            flows["stored"] += min(room, surplus)
            flows["sold"] += max(0, surplus - room)
            continue
        taken = min(flows["stored"], -surplus)
        flows["stored"] -= taken
        flows["bought"] -= surplus + taken
    return flows


# cwm: undo_history(["+3", "+4", "undo", "-1"])
# cwm: undo_history(["undo"])
# cwm: undo_history(["+9", "undo", "undo", "+2"])
def undo_history(commands: list[str]) -> int:
    values = [0]
    for command in commands:
        if command == "undo":
            if len(values) > 1:
                values.pop()
        else:
            values.append(values[-1] + int(command))
    return values[-1]


# cwm: dates_sorted(["3/12", "1/5", "2/5"])
# cwm: dates_sorted(["9/9"])
# cwm: dates_sorted([])
def dates_sorted(dates: list[str]) -> list[str]:
    keyed = []
    for date in dates:
        day, month = date.split("/")
        keyed.append((int(month), int(day), date))
    keyed.sort()
    return [entry[2] for entry in keyed]


# cwm: shared_digits(1232, 321)
# cwm: shared_digits(7, 8)
# cwm: shared_digits(50, 505)
def shared_digits(a: int, b: int) -> list[int]:
    def digits(n: int) -> set[int]:
        found = set()
        while n:
            n, d = divmod(n, 10)
            found.add(d)
        return found

    return sorted(digits(a) & digits(b))


# cwm: parse_range("2-4,7")
# cwm: parse_range("5")
# cwm: parse_range("9-8,x")
def parse_range(text: str) -> list[int]:
    pages: list[int] = []
    for part in text.split(","):
        low, dash, high = part.partition("-")
        try:
            first = int(low)
            last = int(high) if dash else first
        except ValueError:
            continue
        pages.extend(range(first, last + 1))
    return pages


# cwm: thermal_alerts([30, 41, 45, 38], 40)
# cwm: thermal_alerts([], 10)
# cwm: thermal_alerts([50, 20, 50], 40)
def thermal_alerts(temps: list[int], limit: int) -> list[str]:
    alerts = []
    hot = False
    for minute, temp in enumerate(temps):
        if temp > limit and not hot:
            alerts.append(f"{minute}: hot {temp}")
            hot = True
        elif temp <= limit and hot:
            alerts.append(f"{minute}: ok")
            hot = False
    return alerts
