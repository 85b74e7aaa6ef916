"""Seed programs for training cwm-mini: counting, grouping and looking things up in dictionaries."""
# ruff: noqa: B007, PLC0206, PLR1730

PRICES = {"tea": 2, "cake": 4, "soup": 5}


# cwm: letter_counts("hello")
# cwm: letter_counts("")
# cwm: letter_counts("aa b")
# cwm: letter_counts("mississippi")
def letter_counts(text: str) -> dict[str, int]:
    counts: dict[str, int] = {}
    for ch in text:
        if ch == " ":
            continue
        counts[ch] = counts.get(ch, 0) + 1
    return counts


# cwm: bill(["tea", "cake", "tea"])
# cwm: bill([])
# cwm: bill(["soup", "wine"])
# cwm: bill(["cake", "cake", "soup", "tea"])
def bill(order: list[str]) -> int:
    total = 0
    for item in order:
        price = PRICES.get(item)
        if price is None:
            total += 1
        else:
            total += price
    return total


# cwm: group_by_length(["a", "bb", "cc", "d"])
# cwm: group_by_length([])
# cwm: group_by_length(["one", "two", "three"])
# cwm: group_by_length(["", "x"])
def group_by_length(words: list[str]) -> dict[int, list[str]]:
    groups: dict[int, list[str]] = {}
    for word in words:
        groups.setdefault(len(word), []).append(word)
    return groups


# cwm: invert({"a": 1, "b": 2})
# cwm: invert({})
# cwm: invert({"x": 5, "y": 5})
# cwm: invert({"one": 1})
def invert(table: dict[str, int]) -> dict[int, str]:
    flipped = {}
    for key, value in table.items():
        flipped[value] = key
    return flipped


# cwm: merge_counts({"a": 1}, {"a": 2, "b": 3})
# cwm: merge_counts({}, {"z": 1})
# cwm: merge_counts({"p": 4, "q": 1}, {})
# cwm: merge_counts({"k": 0}, {"k": -2})
def merge_counts(first: dict[str, int], second: dict[str, int]) -> dict[str, int]:
    merged = dict(first)
    for name, n in second.items():
        if name in merged:
            merged[name] += n
        else:
            merged[name] = n
    return merged


# cwm: most_common([1, 2, 2, 3])
# cwm: most_common([7])
# cwm: most_common([4, 4, 5, 5])
# cwm: most_common([])
def most_common(values: list[int]) -> int | None:
    tally: dict[int, int] = {}
    for v in values:
        tally[v] = tally.get(v, 0) + 1
    winner = None
    votes = 0
    for v, n in tally.items():
        if n > votes:
            winner, votes = v, n
    return winner


# cwm: restock({"nail": 3, "bolt": 12}, 10)
# cwm: restock({}, 5)
# cwm: restock({"nut": 0}, 2)
# cwm: restock({"a": 8, "b": 7, "c": 9}, 8)
def restock(stock: dict[str, int], minimum: int) -> dict[str, int]:
    orders = {}
    for part, amount in stock.items():
        missing = minimum - amount
        if missing > 0:
            orders[part] = missing
            stock[part] = minimum
    orders["total"] = sum(orders.values())
    return orders


# cwm: first_repeat([3, 1, 4, 1, 3])
# cwm: first_repeat([1, 2, 3])
# cwm: first_repeat([])
# cwm: first_repeat([6, 6])
def first_repeat(nums: list[int]) -> tuple[int, int] | None:
    seen: dict[int, int] = {}
    for i, n in enumerate(nums):
        if n in seen:
            return seen[n], i
        seen[n] = i
    return None


# cwm: parse_pairs("a=1,b=2")
# cwm: parse_pairs("size=40")
# cwm: parse_pairs("x=3,,y")
# cwm: parse_pairs("")
def parse_pairs(text: str) -> dict[str, int]:
    pairs = {}
    for part in text.split(","):
        if "=" not in part:
            continue
        key, value = part.split("=")
        pairs[key.strip()] = int(value)
    return pairs


# cwm: update_scores({"ann": 3}, "ann", 2)
# cwm: update_scores({"ann": 3}, "bob", 4)
# cwm: update_scores({}, "eve", -1)
# cwm: update_scores({"joe": 9}, "joe", 5)
def update_scores(scores: dict[str, int], player: str, points: int) -> dict[str, int]:
    if points < 0:
        return scores
    if player not in scores:
        scores[player] = 0
    scores[player] += points
    if scores[player] > 10:
        scores[player] = 10
    return scores


# cwm: lookup_chain({"a": "b", "b": "c"}, "a")
# cwm: lookup_chain({"a": "b"}, "z")
# cwm: lookup_chain({}, "q")
# cwm: lookup_chain({"x": "y", "y": "x"}, "x")
def lookup_chain(links: dict[str, str], start: str) -> list[str]:
    path = [start]
    here = start
    while here in links:
        here = links[here]
        if here in path:
            break
        path.append(here)
    return path


# cwm: oldest({"ann": 31, "bob": 45, "cy": 12})
# cwm: oldest({"zoe": 7})
# cwm: oldest({})
# cwm: oldest({"a": 20, "b": 20})
def oldest(ages: dict[str, int]) -> str:
    name = "nobody"
    record = -1
    for person in ages:
        if ages[person] > record:
            record = ages[person]
            name = person
    return name


# cwm: remove_small({"a": 1, "b": 5, "c": 2}, 3)
# cwm: remove_small({"a": 9}, 3)
# cwm: remove_small({}, 1)
# cwm: remove_small({"k": 0, "m": -4}, 0)
def remove_small(table: dict[str, int], limit: int) -> int:
    removed = 0
    for key in list(table):
        if table[key] < limit:
            del table[key]
            removed += 1
    return removed


# cwm: nested_total({"mon": {"a": 2, "b": 3}, "tue": {"a": 1}})
# cwm: nested_total({})
# cwm: nested_total({"sun": {}})
# cwm: nested_total({"fri": {"x": 10, "y": -4, "z": 1}})
def nested_total(days: dict[str, dict[str, int]]) -> int:
    total = 0
    for day, visits in days.items():
        for who in visits:
            total += visits[who]
    return total


# cwm: same_position({"a": 1, "b": 2}, {"b": 2, "c": 3})
# cwm: same_position({}, {"a": 1})
# cwm: same_position({"k": 4}, {"k": 4})
# cwm: same_position({"k": 4, "m": 1}, {"k": 5, "m": 1})
def same_position(left: dict[str, int], right: dict[str, int]) -> list[str]:
    shared = []
    for key in sorted(left):
        if key in right and right[key] == left[key]:
            shared.append(key)
    return shared


# cwm: running_stock([("add", "nut", 4), ("sell", "nut", 1)])
# cwm: running_stock([])
# cwm: running_stock([("sell", "cup", 2)])
# cwm: running_stock([("add", "a", 1), ("add", "b", 2), ("sell", "a", 1)])
def running_stock(events: list[tuple[str, str, int]]) -> dict[str, int]:
    stock: dict[str, int] = {}
    for action, item, n in events:
        have = stock.get(item, 0)
        if action == "add":
            stock[item] = have + n
        elif have >= n:
            stock[item] = have - n
    return stock
