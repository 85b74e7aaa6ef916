"""Tells whether a word reads the same from both ends."""


# cwm: is_palindrome("racecar") -> True
def is_palindrome(word):
    left = 0
    right = len(word) - 1
    while left < right:
        if word[left] != word[right]:
            return False
        left += 1
        right -= 1
    return True
