"""Held out, never train on this: programs that measure cwm-mini. Simulations, objects, grids and sorting."""

START_FUEL = 10


class Thermostat:
    def __init__(self, target: int) -> None:
        self.target = target
        self.heating = False

    def read(self, temperature: int) -> str:
        if temperature < self.target - 1:
            self.heating = True
        elif temperature > self.target + 1:
            self.heating = False
        return "on" if self.heating else "off"


# cwm: heat_log(20, [17, 20, 22])
# cwm: heat_log(5, [])
# cwm: heat_log(18, [19, 16, 18])
def heat_log(target: int, readings: list[int]) -> list[str]:
    thermostat = Thermostat(target)
    states = []
    for reading in readings:
        states.append(thermostat.read(reading))
    return states


class Node:
    def __init__(self, value: int, after: "Node | None" = None) -> None:
        self.value = value
        self.after = after


# cwm: linked_sum([4, 5])
# cwm: linked_sum([])
# cwm: linked_sum([1, -1, 8])
def linked_sum(values: list[int]) -> int:
    head = None
    for value in reversed(values):
        head = Node(value, head)
    total, place = 0, 1
    while head is not None:
        total += place * head.value
        place += 1
        head = head.after
    return total


# cwm: flood([[1, 1], [0, 1]], 0, 0)
# cwm: flood([[0]], 0, 0)
# cwm: flood([[1, 0, 1]], 0, 2)
def flood(grid: list[list[int]], row: int, col: int) -> int:
    inside = 0 <= row < len(grid) and 0 <= col < len(grid[0])
    if not inside or grid[row][col] != 1:
        return 0
    grid[row][col] = 2
    return 1 + flood(grid, row, col + 1) + flood(grid, row + 1, col)


# cwm: drive([3, 5, 4])
# cwm: drive([12])
# cwm: drive([])
def drive(legs: list[int]) -> str:
    fuel = START_FUEL
    done = 0
    while done < len(legs) and legs[done] <= fuel:
        fuel -= legs[done]
        done += 1
    if done == len(legs):
        return f"arrived with {fuel}"
    return f"stuck before leg {done + 1}"


# cwm: cocktail([3, 1, 2])
# cwm: cocktail([2, 1])
# cwm: cocktail([1, 2, 3])
def cocktail(xs: list[int]) -> list[int]:
    low, high = 0, len(xs) - 1
    while low < high:
        for i in range(low, high):
            if xs[i] > xs[i + 1]:
                xs[i:i + 2] = [xs[i + 1], xs[i]]
        high -= 1
        for i in range(high, low, -1):
            if xs[i - 1] > xs[i]:
                xs[i - 1], xs[i] = xs[i], xs[i - 1]
        low += 1
    return xs


# cwm: count_neighbours(["x.", "xx"], 0, 1)
# cwm: count_neighbours(["."], 0, 0)
# cwm: count_neighbours(["x.x"], 0, 1)
def count_neighbours(board: list[str], row: int, col: int) -> int:
    near = 0
    for r in range(max(0, row - 1), min(len(board), row + 2)):
        for c in range(max(0, col - 1), min(len(board[0]), col + 2)):
            if (r, c) != (row, col) and board[r][c] == "x":
                near += 1
    return near


# cwm: tic_tac_toe(["xxx", "oo.", "..."])
# cwm: tic_tac_toe(["xo.", "xo.", ".o."])
# cwm: tic_tac_toe(["x.o", "o..", "..."])
def tic_tac_toe(board: list[str]) -> str:
    columns = ["".join(row[c] for row in board) for c in range(3)]
    for line in board + columns:
        if line[0] != "." and line.count(line[0]) == 3:
            return line[0]
    return "nobody"


# cwm: schedule([(9, 10), (9, 12), (11, 12)])
# cwm: schedule([])
# cwm: schedule([(1, 4), (2, 3)])
def schedule(meetings: list[tuple[int, int]]) -> list[tuple[int, int]]:
    meetings.sort(key=lambda m: m[1])
    chosen: list[tuple[int, int]] = []
    free_from = 0
    for start, end in meetings:
        if start < free_from:
            continue
        chosen.append((start, end))
        free_from = end
    return chosen


# cwm: cache_hits([1, 2, 1, 3, 1], 2)
# cwm: cache_hits([5, 5], 1)
# cwm: cache_hits([], 3)
def cache_hits(requests: list[int], size: int) -> int:
    cache: list[int] = []
    hits = 0
    for page in requests:
        if page in cache:
            hits += 1
            cache.remove(page)
        elif len(cache) == size:
            cache.pop(0)
        cache.append(page)
    return hits


# cwm: execute(["set 3", "dec", "jnz 1"])
# cwm: execute(["set 2"])
# cwm: execute(["dec", "nop"])
def execute(program: list[str]) -> tuple[int, int]:
    register = pointer = steps = 0
    while pointer < len(program):
        steps += 1
        name, _, argument = program[pointer].partition(" ")
        pointer += 1
        if name == "set":
            register = int(argument)
        elif name == "dec":
            register -= 1
        elif name == "jnz" and register != 0:
            pointer = int(argument)
    return register, steps


# cwm: visit({"a": ["b", "c"], "b": ["c"]}, "a")
# cwm: visit({}, "z")
# cwm: visit({"m": ["m"]}, "m")
def visit(links: dict[str, list[str]], start: str) -> list[str]:
    waiting = [start]
    order: list[str] = []
    while waiting:
        page = waiting.pop(0)
        if page in order:
            continue
        order.append(page)
        waiting.extend(links.get(page, []))
    return order


# cwm: bowling([5, 4, 10, 3])
# cwm: bowling([10, 10])
# cwm: bowling([0, 0])
def bowling(throws: list[int]) -> int:
    score = 0
    bonus = 0
    for pins in throws:
        score += pins
        if bonus > 0:
            score += pins
            bonus -= 1
        if pins == 10:
            bonus += 2
    return score


# cwm: shift_swaps([["ann", 8], ["bob", 6]], 7)
# cwm: shift_swaps([["cy", 9]], 4)
# cwm: shift_swaps([["di", 3], ["ed", 12], ["flo", 8]], 8)
def shift_swaps(shifts: list[list], limit: int) -> list[list]:
    for shift in shifts:
        extra = shift[1] - limit
        if extra <= 0:
            continue
        for other in shifts:
            if other is not shift and other[1] + extra <= limit:
                other[1] += extra
                shift[1] -= extra
                break
        else:
            shift.append("late")
    return shifts
