"""Seed programs for training cwm-mini: looking for something and telling where or whether it is."""
# ruff: noqa: RET508, SIM110


# cwm: index_of([4, 7, 9], 9)
# cwm: index_of([4, 7, 9], 5)
# cwm: index_of([], 1)
# cwm: index_of([2, 2], 2)
def index_of(items: list[int], wanted: int) -> int:
    for i in range(len(items)):
        if items[i] == wanted:
            return i
    return -1


# cwm: jump_search([1, 3, 5, 7], 5)
# cwm: jump_search([2, 2, 2], 2)
# cwm: jump_search([], 6)
# cwm: jump_search([1, 3, 4, 8, 9], 7)
def jump_search(ordered: list[int], value: int) -> int:
    start = 0
    while start + 2 < len(ordered) and ordered[start + 2] <= value:
        start += 2
    for i in range(start, min(start + 2, len(ordered))):
        if ordered[i] == value:
            return i
    return -1


# cwm: pair_with_sum([1, 4, 6, 9], 10)
# cwm: pair_with_sum([2, 3], 9)
# cwm: pair_with_sum([], 0)
# cwm: pair_with_sum([1, 2, 3, 8], 5)
def pair_with_sum(ordered: list[int], goal: int) -> tuple[int, int] | None:
    left, right = 0, len(ordered) - 1
    while left < right:
        total = ordered[left] + ordered[right]
        if total == goal:
            return ordered[left], ordered[right]
        if total < goal:
            left += 1
        else:
            right -= 1
    return None


# cwm: count_in("banana", "an")
# cwm: count_in("aaaa", "aa")
# cwm: count_in("xyz", "q")
# cwm: count_in("abab", "ab")
def count_in(text: str, piece: str) -> int:
    count = 0
    at = text.find(piece)
    while at != -1:
        count += 1
        at = text.find(piece, at + 1)
    return count


# cwm: find_in_grid([[1, 2], [3, 4]], 3)
# cwm: find_in_grid([[1, 2], [3, 4]], 9)
# cwm: find_in_grid([[5]], 5)
# cwm: find_in_grid([], 0)
def find_in_grid(grid: list[list[int]], target: int) -> tuple[int, int]:
    for r, row in enumerate(grid):
        for c, value in enumerate(row):
            if value == target:
                return r, c
    return -1, -1


# cwm: nearest([3, 8, 12], 9)
# cwm: nearest([5], 100)
# cwm: nearest([4, 6], 5)
# cwm: nearest([-2, 0, 7], -5)
def nearest(options: list[int], point: int) -> int:
    best = options[0]
    for option in options[1:]:
        if abs(option - point) < abs(best - point):
            best = option
    return best


# cwm: absent_sizes([36, 38], 36, 39)
# cwm: absent_sizes([1, 2], 1, 2)
# cwm: absent_sizes([], 4, 6)
# cwm: absent_sizes([9, 7], 5, 9)
def absent_sizes(shelf: list[int], smallest: int, biggest: int) -> list[int]:
    absent = []
    size = smallest
    while size <= biggest:
        if size not in shelf:
            absent.append(size)
        size += 1
    return absent


# cwm: all_positions("hello", "l")
# cwm: all_positions("hello", "z")
# cwm: all_positions("", "a")
# cwm: all_positions("eee", "e")
def all_positions(text: str, ch: str) -> list[int]:
    places = []
    for i, c in enumerate(text):
        if c == ch:
            places.append(i)
    return places


# cwm: contains_run([1, 2, 3, 4], [2, 3])
# cwm: contains_run([1, 2], [3])
# cwm: contains_run([5], [])
# cwm: contains_run([1, 1, 2], [1, 2])
def contains_run(big: list[int], small: list[int]) -> bool:
    size = len(small)
    for start in range(len(big) - size + 1):
        if big[start:start + size] == small:
            return True
    return False


# cwm: rarest_letter("swiss")
# cwm: rarest_letter("aabb")
# cwm: rarest_letter("")
# cwm: rarest_letter("noon!")
def rarest_letter(text: str) -> str:
    rarest = ""
    fewest = len(text) + 1
    for ch in text:
        n = text.count(ch)
        if n < fewest:
            fewest = n
            rarest = ch
    return rarest


# cwm: lowest_places([4, 2, 8, 2])
# cwm: lowest_places([1])
# cwm: lowest_places([9, 7, 5])
# cwm: lowest_places([-1, -1])
def lowest_places(values: list[int]) -> list[int]:
    places = [0]
    i = 1
    while i < len(values):
        lowest = values[places[0]]
        if values[i] < lowest:
            places = [i]
        elif values[i] == lowest:
            places.append(i)
        i += 1
    return places


# cwm: letters_used_up("tea", "stage")
# cwm: letters_used_up("see", "rose")
# cwm: letters_used_up("", "xyz")
# cwm: letters_used_up("long", "lo")
def letters_used_up(word: str, tiles: str) -> str:
    for letter in word:
        at = tiles.find(letter)
        if at < 0:
            return "missing " + letter
        tiles = tiles[:at] + tiles[at + 1:]
    return tiles


# cwm: longest_streak([2, 2, 1])
# cwm: longest_streak([3, 4, 5])
# cwm: longest_streak([])
# cwm: longest_streak([6, 7, 7, 7, 6])
def longest_streak(results: list[int]) -> tuple[int, int] | None:
    best = None
    length = 0
    for i, r in enumerate(results):
        if i > 0 and r == results[i - 1]:
            length += 1
        else:
            length = 1
        if best is None or length > best[1]:
            best = (r, length)
    return best


# cwm: last_before([2, 5, 9, 11], 10)
# cwm: last_before([4], 3)
# cwm: last_before([], 7)
# cwm: last_before([1, 2, 3], 3)
def last_before(times: list[int], now: int) -> int | None:
    found = None
    for t in times:
        if t >= now:
            break
        found = t
    else:
        return found
    return found


# cwm: guess(37, 1, 50)
# cwm: guess(1, 1, 10)
# cwm: guess(10, 1, 10)
# cwm: guess(6, 4, 8)
def guess(secret: int, low: int, high: int) -> list[int]:
    tried: list[int] = []
    while low <= high:
        middle = (low + high) // 2
        tried.append(middle)
        if middle == secret:
            break
        elif middle < secret:
            low = middle + 1
        else:
            high = middle - 1
    return tried


# cwm: any_overlap([[1, 3], [4, 6]])
# cwm: any_overlap([[1, 5], [2, 3]])
# cwm: any_overlap([])
# cwm: any_overlap([[0, 1], [3, 4], [1, 2]])
def any_overlap(spans: list[list[int]]) -> bool:
    overlap = False
    for i in range(len(spans)):
        for j in range(i + 1, len(spans)):
            a, b = spans[i], spans[j]
            if a[0] <= b[1] and b[0] <= a[1]:
                overlap = True
    return overlap
