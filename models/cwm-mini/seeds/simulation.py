"""Seed programs for training cwm-mini: small machines, games and processes, step by step."""
# ruff: noqa: B007, PLC0206

LIGHTS = {"green": "yellow", "yellow": "red", "red": "green"}
BOARD_SIZE = 8


# cwm: traffic("green", 4)
# cwm: traffic("red", 1)
# cwm: traffic("yellow", 0)
# cwm: traffic("red", 6)
def traffic(light: str, changes: int) -> list[str]:
    history = [light]
    for _ in range(changes):
        light = LIGHTS[light]
        history.append(light)
    return history


# cwm: run_stack(["push 3", "push 4", "add"])
# cwm: run_stack(["push 5", "dup", "add"])
# cwm: run_stack([])
# cwm: run_stack(["push 9", "drop", "push 1"])
def run_stack(program: list[str]) -> list[int]:
    stack: list[int] = []
    for line in program:
        if line.startswith("push"):
            stack.append(int(line[5:]))
        elif line == "add":
            stack.append(stack.pop() + stack.pop())
        elif line == "dup":
            stack.append(stack[-1])
        elif line == "drop":
            stack.pop()
    return stack


# cwm: bouncing_ball(20)
# cwm: bouncing_ball(1)
# cwm: bouncing_ball(0)
# cwm: bouncing_ball(90)
def bouncing_ball(height: int) -> tuple[int, int]:
    bounces = 0
    travelled = height
    while height > 2:
        height = height * 2 // 3
        bounces += 1
        travelled += 2 * height
    return bounces, travelled


# cwm: life_row([0, 1, 0])
# cwm: life_row([1, 1, 1, 1])
# cwm: life_row([])
# cwm: life_row([1])
def life_row(cells: list[int]) -> list[int]:
    after = []
    for i in range(len(cells)):
        left = cells[i - 1] if i > 0 else 0
        right = cells[i + 1] if i + 1 < len(cells) else 0
        after.append(left ^ right)
    return after


# cwm: fill_buckets([3, 5], 7)
# cwm: fill_buckets([4], 2)
# cwm: fill_buckets([], 9)
# cwm: fill_buckets([1, 2, 3], 6)
def fill_buckets(sizes: list[int], water: int) -> list[int]:
    filled = [0] * len(sizes)
    for i, size in enumerate(sizes):
        poured = min(size, water)
        filled[i] = poured
        water -= poured
        if water == 0:
            break
    return filled


# cwm: turtle("FFRF")
# cwm: turtle("")
# cwm: turtle("LLF")
# cwm: turtle("RFRF")
def turtle(orders: str) -> tuple[int, int]:
    x = y = 0
    dx, dy = 0, 1
    for order in orders:
        if order == "F":
            x += dx
            y += dy
        elif order == "R":
            dx, dy = dy, -dx
        else:
            dx, dy = -dy, dx
    return x, y


# cwm: dice_game([3, 6, 4])
# cwm: dice_game([6, 6, 6])
# cwm: dice_game([])
# cwm: dice_game([1, 2])
def dice_game(rolls: list[int]) -> int:
    position = 0
    for roll in rolls:
        if roll == 6:
            position += 3
            continue
        position += roll
        if position > BOARD_SIZE:
            position = BOARD_SIZE - (position - BOARD_SIZE)
        if position == BOARD_SIZE:
            return BOARD_SIZE
    return position


# cwm: rabbits(4)
# cwm: rabbits(0)
# cwm: rabbits(1)
# cwm: rabbits(9)
def rabbits(months: int) -> int:
    young, grown = 1, 0
    for month in range(months):
        young, grown = grown, grown + young
        if month == 5:
            grown -= 1
    return young + grown


# cwm: vending([50, 20], 60)
# cwm: vending([10], 60)
# cwm: vending([], 5)
# cwm: vending([20, 20, 20, 50], 50)
def vending(coins: list[int], price: int) -> str:
    paid = 0
    for coin in coins:
        paid += coin
        if paid >= price:
            change = paid - price
            return f"drink and {change}"
    return f"{price - paid} missing"


# cwm: robot_line("GRGX", 2)
# cwm: robot_line("", 5)
# cwm: robot_line("RRR", 0)
# cwm: robot_line("GGXG", 9)
def robot_line(program: str, battery: int) -> str:
    log = ""
    for op in program:
        if op == "X":
            log += "stop"
            break
        cost = 2 if op == "G" else 1
        if battery < cost:
            log += "empty"
            break
        battery -= cost
        log += op.lower()
    else:
        log += "done"
    return log


# cwm: mix_paint(["red", "blue"], {"red": 2, "blue": 1})
# cwm: mix_paint(["red", "red"], {"red": 1})
# cwm: mix_paint([], {"red": 1})
# cwm: mix_paint(["pink"], {})
def mix_paint(wanted: list[str], tubes: dict[str, int]) -> tuple[int, dict[str, int]]:
    used = 0
    for color in wanted:
        if tubes.get(color, 0) > 0:
            tubes[color] -= 1
            used += 1
        if color in tubes and tubes[color] == 0:
            del tubes[color]
    return used, tubes


# cwm: elevator(1, [3, 0])
# cwm: elevator(2, [])
# cwm: elevator(0, [2, 2])
# cwm: elevator(4, [1])
def elevator(floor: int, calls: list[int]) -> list[str]:
    log = []
    for target in calls:
        while floor != target:
            if floor < target:
                floor += 1
                log.append("up")
            else:
                floor -= 1
                log.append("down")
        log.append("open")
    return log


# cwm: water_plants({"fern": 2, "aloe": 5}, 2)
# cwm: water_plants({}, 3)
# cwm: water_plants({"moss": 1}, 1)
# cwm: water_plants({"ivy": 0, "rose": 3}, 1)
def water_plants(thirst: dict[str, int], days: int) -> dict[str, int]:
    for day in range(days):
        for plant in thirst:
            thirst[plant] -= 1
            if thirst[plant] < 0:
                thirst[plant] = 3
    return thirst


# cwm: tennis("AAAA")
# cwm: tennis("ABAB")
# cwm: tennis("")
# cwm: tennis("BBABB")
def tennis(rallies: str) -> str:
    a = b = 0
    for winner in rallies:
        if winner == "A":
            a += 1
        else:
            b += 1
        if max(a, b) >= 4 and abs(a - b) >= 2:
            return f"game {winner}"
    return f"{a}-{b}"
