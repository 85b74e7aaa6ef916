"""Text written as letters and how often they repeat."""


# cwm: encode("aaab") -> 'a3b1'
def encode(text):
    """
    >>> encode("wwwxyy")
    'w3x1y2'
    >>> encode("k")
    'k1'
    >>> encode("")
    ''
    """
    encoded = ""
    at = 0
    while at < len(text):
        end = at
        while end < len(text) and text[end] == text[at]:
            end += 1
        encoded += ?
        at = end
    return encoded
