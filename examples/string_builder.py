"""Builds a short form of a name from the first letters of its words."""


# cwm: initials(["ada", "king", "lovelace"]) -> 'A.K.L.'
def initials(words):
    result = ""
    for word in words:
        letter = word[0].upper()
        result += letter
        result += "."
    return result
