"""The front door of the fill room: what is told about a hole, when, and what never happens to the rest."""

from __future__ import annotations

import time

import pytest

from cwm_lsp.fill import style
from cwm_lsp.fill.holes import HoleFills, Progress, fill_document, forget
from cwm_lsp.model.backend import Cancel
from cwm_lsp.source.document import Document
from tests.fill.really import all_right
from tests.fill.tasks import TASKS

EXAMPLES = '    """\n    >>> f(3)\n    6\n    >>> f(5)\n    10\n    """\n'
BY_NAME = {task.name: task for task in TASKS}


def finished(text: str, seconds: float = 2.0) -> list[HoleFills]:
    """The last word on each hole, by search alone."""
    forget()
    document = Document.from_text(text)
    found = fill_document(document, budget_seconds=seconds, clock=time.thread_time)
    return sorted((one for one in found if one.done), key=lambda one: one.index)


def first_texts(found: list[HoleFills]) -> list[str]:
    """The best fill of each hole."""
    return [one.fills[0].text for one in found]


@pytest.mark.parametrize(
    ("code", "fills"),
    [
        ("def f(n):\n{}    return n * ?\n", ["2"]),
        ("def f(n):\n{}    return 2 * n - (?)\n", ["0"]),
        ("def f(n):\n{}    ? = n * 2\n    return m\n", ["m"]),
        ("def f(n):\n{}    t = 0\n    for _ in range(?):\n        t += n\n    return t\n", ["2"]),
        ("def f(n):\n{}    if n > 100:\n        return 1\n    ?\n    return n\n", ["n *= 2"]),
        ("def f(n):\n{}    return sum([? for _ in range(n)])\n", ["2"]),
        ("def g(n):\n    return n + ?\ndef f(n):\n{}    return g(n)\n", ["n"]),
        ("def f(n):\n{}    def inner(k):\n        return k + ?\n    return inner(n)\n", ["k"]),
    ],
)
def test_holes_of_many_kinds(code: str, fills: list[str]) -> None:
    found = finished(code.replace("{}", EXAMPLES))
    assert first_texts(found) == fills
    for one in found:
        assert one.fills[0].verified == "passed"
        assert one.fills[0].examples == (2, 2)
        assert one.fills[0].why.startswith("All 2 examples come out right")
        assert 0 < one.fills[0].score <= 1
        assert one.reason is None
        assert one.calls == ("f(3) -> 6", "f(5) -> 10")


def test_a_method_by_its_name() -> None:
    found = finished('def f(s):\n    """\n    >>> f("ab")\n    \'AB\'\n    """\n    return s.?()\n')
    assert "upper" in [fill.text for fill in found[0].fills]


REFUSED = {
    "f-string": '    x = f"{?}"\n    return n * 2\n',
    "lambda": "    g = lambda x: x * ?\n    return g(n)\n",
    "match": "    match n:\n        case ?:\n            return n\n    return n * 2\n",
    "names a thing": "    import ?\n    return n * 2\n",
}
HEADS = {
    "annotation": "def f(n: ?):\n",
    "type annotation": "def f(n) -> ?:\n",
    "decorator": "@?\ndef f(n):\n",
    "default": "def f(n, k=?):\n",
}


@pytest.mark.parametrize("what", [*REFUSED, *HEADS, "class", "outside"])
def test_a_sentence_where_nothing_can_be_filled(what: str) -> None:
    text = HEADS.get(what, "def f(n):\n") + EXAMPLES + REFUSED.get(what, "    return n * 2\n")
    if what == "class":
        text = "class A:\n    def g(self, n):\n        return n + ?\n" + text
    elif what == "outside":
        text = "K = ?\n" + text
    [found] = finished(text)
    assert found.fills == ()
    assert found.done
    assert found.reason is not None
    assert what in found.reason
    assert found.reason.startswith("The hole in line ")
    assert found.reason.endswith(".")


def test_fifty_holes_are_refused_in_a_sentence_each() -> None:
    began = time.thread_time()
    body = "".join(f"    x{at} = ?\n" for at in range(50))
    found = finished("def f(n):\n" + EXAMPLES + body + "    return n * 2\n")
    assert len(found) == 50
    assert all("50 holes" in (one.reason or "") for one in found)
    assert time.thread_time() - began < 5


def test_holes_in_strings_and_comments_are_none() -> None:
    found = finished("def f(n):\n" + EXAMPLES + '    s = "what?"  # really?\n    return n * ?\n')
    assert [one.hole.line for one in found] == [9]


def test_without_examples_nothing_is_claimed() -> None:
    [found] = finished("def f(n):\n    return n + ?\n")
    assert found.fills == ()
    assert "# cwm: f(…) -> …" in (found.reason or "")


def test_nothing_that_passes_is_told_with_the_nearest() -> None:
    [found] = finished(
        "def f(n):\n" + EXAMPLES + "    if n == 5:\n        return 11\n    return n * ?\n", 0.3
    )
    assert "f(5) should give 10" in (found.reason or "")
    assert all(fill.verified == "failed" and fill.examples[0] < 2 for fill in found.fills)


def test_what_is_known_at_a_hole() -> None:
    [found] = finished(BY_NAME["binary_search"].text)
    assert found.known == ("ordered = [2, 3, 5, 8]", "wanted = 8", "low = 0")


def test_the_first_answer_comes_before_the_last_and_progress_is_told() -> None:
    forget()
    told: list[Progress] = []
    document = Document.from_text(BY_NAME["without_repeats"].text)
    found = list(fill_document(document, on_progress=told.append, clock=time.thread_time))
    assert [one.done for one in found] == [False, False, True, True]
    assert found[0].fills[0].verified == "passed"
    assert told[0].holes == 2


def test_fills_that_pass_together_say_so() -> None:
    found = finished(BY_NAME["without_repeats"].text)
    assert first_texts(found) == ["value not in seen", "seen.add(value)"]
    assert found[0].fills[0].together == ((1, "seen.add(value)"),)
    assert found[1].fills[0].together == ((0, "value not in seen"),)


def test_where_the_fills_differ_a_call_asks_which_is_right() -> None:
    text = BY_NAME["merge"].text
    [found] = finished(text)
    assert [fill.text for fill in found.fills[:2]] == ["left[i] <= right[j]", "left[i] < right[j]"]
    assert found.doubt is not None
    assert len(set(found.doubt.answers)) == len(found.doubt.answers) >= 2
    assert len(found.doubt.chosen) == len(found.fills)
    for fill, at in zip(found.fills, found.doubt.chosen, strict=True):
        filled = style.put(Document.from_text(text), {0: fill.text})
        assert all_right(filled, [(found.doubt.call, found.doubt.answers[at])])
    answered = text.replace("# cwm:", f"# cwm: {found.doubt.call} -> {found.doubt.answers[1]}\n# cwm:", 1)
    [again] = finished(answered)
    assert again.fills[0].text == found.fills[found.doubt.chosen.index(1)].text


def test_a_cancelled_filling_says_nothing_more() -> None:
    forget()
    cancel = Cancel()
    document = Document.from_text(BY_NAME["run_length"].text)
    began = time.monotonic()
    for one in fill_document(
        document, budget_seconds=60, cancel=cancel, on_progress=lambda _: cancel.cancel()
    ):
        assert not one.done
    assert time.monotonic() - began < 3


def test_answers_are_kept_while_the_function_stays_the_same() -> None:
    forget()
    text = BY_NAME["fibonacci"].text
    first = [one for one in fill_document(Document.from_text(text)) if one.done]
    began = time.monotonic()
    moved = Document.from_text("# a comment above\n\n" + text)
    second = [one for one in fill_document(moved) if one.done]
    assert time.monotonic() - began < 0.2
    assert [one.fills for one in second] == [one.fills for one in first]
    assert second[0].hole == moved.holes[0]
    other = Document.from_text(text.replace("a, b = 0, 1", "a, b = 1, 1"))
    third = [one for one in fill_document(other, budget_seconds=0.3) if one.done]
    assert third[0].fills != first[0].fills


def test_kept_answers_hold_for_the_callers_too() -> None:
    forget()
    helper = "# cwm: double(3) -> 6\n# cwm: double(5) -> 10\ndef double(n):\n    return n * ?\n\n\n"
    calls = "# cwm: both(1, 2) -> [2, 2]\n# cwm: both(3, 4) -> [6, 4]\n"
    caller = calls + "def both(a, b):\n    return [double(a), ?]\n"
    first = [one for one in fill_document(Document.from_text(helper + caller)) if one.done]
    assert first_texts(first) == ["2", "b"]
    other = "# cwm: g(2) -> 3\ndef g(n):\n    return n + ?\n\n\n"
    changed = Document.from_text(other + helper + caller.replace("def both", "# changed\ndef both"))
    found = sorted((one for one in fill_document(changed) if one.done), key=lambda one: one.index)
    assert first_texts(found) == ["1", "2", "b"]


def test_only_some_holes() -> None:
    text = "def f(n):\n" + EXAMPLES + "    return n * ?\ndef g(n):\n    return ?\n# cwm: g(1) -> 1\n"
    found = [one for one in fill_document(Document.from_text(text), only=[1]) if one.done]
    assert [one.index for one in found] == [1]


GENERATOR = '''
def evens(limit):
    n = 0
    while n < limit:
        yield n
        n += ?

def listed(limit):
    """
    >>> listed(7)
    [0, 2, 4, 6]
    >>> listed(1)
    [0]
    """
    return list(evens(limit))
'''


def test_what_the_fast_search_refuses_is_simulated() -> None:
    [found] = finished(GENERATOR, 6.0)
    assert found.fills[0].text == "2"
    assert found.fills[0].verified == "passed"


def test_code_that_is_not_python_after_all_is_left_open() -> None:
    inner = "    def g():\n        nonlocal current\n        return ?\n"
    text = f"# cwm: f(3) -> 4\ndef f(n):\n{inner}    return g()\n"
    [found] = finished(text, 0.3)
    assert found.fills == ()
    assert "left open" in (found.reason or "")


# -- style


STYLE = """def f(xs,n):
    '''
    >>> f(['a','b'],1)
    'b!'
    >>> f(['a','b'],0)
    'a!'
    '''
    mark='!'
    if n+1>0:
        return ?
    return mark
"""


def test_fills_are_written_as_the_file_is() -> None:
    [found] = finished(STYLE)
    texts = [fill.text for fill in found.fills]
    assert "xs[n]+mark" in texts
    assert not any(" + " in text or '"' in text for text in texts)
    [found] = finished(STYLE.replace("'''", '"""').replace("'", '"').replace("n+1>0", "n + 1 > 0"))
    texts = [fill.text for fill in found.fills]
    assert "xs[n] + mark" in texts
    assert not any("'" in text for text in texts)


def test_quotes_of_the_file() -> None:
    [found] = finished(BY_NAME["word_counts"].text.replace("counts.get(word, 0) + 1", "?"))
    assert found.fills
    single = style.style_of(Document.from_text("x = 'a'\ny = ?\n"))
    assert style.styled('"b" + f(1, "it\'s")', single) == "'b' + f(1, \"it's\")"
    double = style.style_of(Document.from_text('x = "a"\ny = ?\n'))
    assert style.styled("'b'", double) == '"b"'
    tight = style.style_of(Document.from_text("x=f(1,2)+3*y\nz=x-1\ny = ?\n"))
    assert style.styled("g(a, -b) * 2", tight) == "g(a,-b)*2"


def test_brackets_where_the_place_needs_them() -> None:
    [found] = finished(
        'def f(n):\n    """\n    >>> f(3)\n    8\n    >>> f(5)\n    12\n    """\n    return 2 * ?\n'
    )
    assert found.fills[0].text == "(n + 1)"


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_putting_fills_in_touches_nothing_else(newline: str) -> None:
    text = "# é? 😀\ndef f(a):\n    s = '?'\n    return a + ? + ?  # ?\n".replace("\n", newline)
    document = Document.from_text(text)
    assert style.put(document, {0: "1", 1: "a * 2"}) == text.replace("a + ? + ?", "a + 1 + a * 2")
    assert style.put(document, {}) == text
