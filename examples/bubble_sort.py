"""Sorts a list in place by swapping neighbours that are in the wrong order."""


# cwm: bubble_sort([4, 2, 7, 1]) -> [1, 2, 4, 7]
def bubble_sort(items):
    end = len(items) - 1
    while end > 0:
        for i in range(end):
            if items[i] > items[i + 1]:
                items[i], items[i + 1] = items[i + 1], items[i]
        end -= 1
    return items
