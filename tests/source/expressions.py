# ruff: noqa: E501, SIM905
"""Random expressions over literals, as hypothesis strategies: most of them mean something, some raise."""

from __future__ import annotations

from hypothesis import strategies as st

INTS = st.one_of(
    st.integers(-5, 12),
    st.integers(-1000, 1000),
    st.sampled_from([2**31, -(2**63), 2**64 + 1, 10**20]),
).map(lambda n: str(n) if n >= 0 else f"({n})")
FLOATS = st.sampled_from(
    ["0.0", "0.5", "1.5", "-2.25", "1e10", "3.14159", "1e-7", "float('inf')", "float('nan')", "-0.0"]
)
COMPLEX = st.sampled_from(["1j", "(2+3j)", "(0.5-1j)"])
BOOLS = st.sampled_from(["True", "False"])
TEXTS = st.one_of(
    st.text("abcAB xyz,-12é\n\t'\"%{}", max_size=8).map(repr),
    st.sampled_from(
        ["'hello world'", "'a,b,,c'", "'42'", "'3.5'", "' pad '", "'ÄÖß'", "'%s-%d'", "'{}:{}'", "''"]
    ),
)
BYTES = st.sampled_from(["b''", "b'abc'", "b'a,b'", "b'\\x00\\xff'"])
ATOMS = st.one_of(
    INTS, INTS, FLOATS, COMPLEX, BOOLS, TEXTS, TEXTS, BYTES, st.just("None"), st.sampled_from("abcdefgh")
)

BINARY = ["+", "-", "*", "/", "//", "%", "**", "<<", ">>", "&", "|", "^", "@"]
COMPARE = ["==", "!=", "<", "<=", ">", ">=", "in", "not in"]
CALLS = """abs all any ascii bin bool bytes chr complex dict divmod enumerate filter float format frozenset hash
hex int isinstance iter len list map max min next oct ord pow range repr reversed round set slice sorted str sum
tuple type zip callable""".split()
METHODS = """capitalize casefold center count encode endswith expandtabs find format index isalnum isalpha isascii
isdecimal isdigit isidentifier islower isnumeric isprintable isspace istitle isupper join ljust lower lstrip
partition removeprefix removesuffix replace rfind rindex rjust rpartition rsplit rstrip split splitlines
startswith strip swapcase title upper zfill decode hex append clear copy extend insert pop remove reverse sort get
items keys popitem setdefault update values add difference discard intersection isdisjoint issubset issuperset
symmetric_difference union bit_length bit_count conjugate is_integer as_integer_ratio translate missing""".split()
SPECS = [
    "",
    ">5",
    "<8",
    "^7",
    "05d",
    ".2f",
    "+",
    ",",
    "x",
    "b",
    "e",
    "%",
    "g",
    "*^9",
    "s",
    "#x",
    "_",
    ".3",
    "c",
]
LAMBDAS = [
    "lambda v: v",
    "lambda v: -v",
    "lambda v: v[0]",
    "lambda v: (v, 1)",
    "len",
    "str",
    "lambda v: v % 3",
    "abs",
]


def _compound(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    some = st.lists(inner, max_size=4)
    pairs = st.lists(st.tuples(inner, inner), max_size=3)
    star = st.booleans()

    def spread(parts: list[str], starred: bool) -> str:
        return ", ".join(f"*{part}" if starred and at == 0 else part for at, part in enumerate(parts))

    def comma(parts: list[str]) -> str:
        return ", ".join(parts)

    comprehension = st.builds(
        lambda form, element, source, test, deep: {
            "list": f"[{element} for v in {source}{test}{deep}]",
            "set": f"{{{element} for v in {source}{test}{deep}}}",
            "gen": f"list({element} for v in {source}{test}{deep})",
            "any": f"any({element} for v in {source}{test}{deep})",
            "sum": f"sum({element} for v in {source}{test}{deep})",
            "dict": f"{{v: {element} for v in {source}{test}{deep}}}",
            "pair": f"[i + 1 for i, v in enumerate({source}){test}]",
        }[form],
        st.sampled_from(["list", "list", "set", "gen", "any", "sum", "dict", "pair"]),
        st.one_of(inner, st.sampled_from(["v", "v * 2", "(v, v)", "str(v)", "v + 1", "v[0]", "(y := v)"])),
        inner,
        st.sampled_from(["", "", " if v", " if v != 1"]),
        st.sampled_from(["", "", "", " for w in 'xy'"]),
    )
    return st.one_of(
        st.builds(lambda a, op, b: f"({a} {op} {b})", inner, st.sampled_from(BINARY), inner),
        st.builds(lambda a, op, b: f"({a} {op} {b})", inner, st.sampled_from(COMPARE), inner),
        st.builds(lambda a, b, c: f"({a} < {b} <= {c})", inner, inner, inner),
        st.builds(lambda op, a: f"({op} {a})", st.sampled_from(["-", "+", "~", "not"]), inner),
        st.builds(lambda a, op, b: f"({a} {op} {b})", inner, st.sampled_from(["and", "or"]), inner),
        st.builds(lambda a, b, c: f"({a} if {b} else {c})", inner, inner, inner),
        st.builds(lambda p, s: f"[{spread(p, s)}]", some, star),
        st.builds(lambda p, s: f"({spread(p, s)},)" if p else "()", some, star),
        st.builds(lambda p: f"{{{comma(p)}}}" if p else "set()", some),
        st.builds(lambda p: "{" + comma([f"{k}: {v}" for k, v in p]) + "}", pairs),
        st.builds(lambda a, b: f"{a}[{b}]", inner, inner),
        st.builds(
            lambda a, b, c, d: f"{a}[{b}:{c}:{d}]",
            inner,
            *[st.sampled_from(["", "0", "1", "-1", "2", "-3"])] * 3,
        ),
        st.builds(lambda f, p: f"{f}({comma(p)})", st.sampled_from(CALLS), st.lists(inner, max_size=3)),
        st.builds(
            lambda f, a: f"{f}({a})",
            st.sampled_from(["len", "sorted", "sum", "list", "max", "str", "int"]),
            inner,
        ),
        st.builds(
            lambda f, a, k, r: f"{f}({a}, key={k}{r})",
            st.sampled_from(["sorted", "min", "max"]),
            inner,
            st.sampled_from(LAMBDAS),
            st.sampled_from(["", ", reverse=True", ", default=0"]),
        ),
        st.builds(lambda k, a: f"list(map({k}, {a}))", st.sampled_from(LAMBDAS), inner),
        st.builds(
            lambda a, m, p: f"{a}.{m}({comma(p)})",
            inner,
            st.sampled_from(METHODS),
            st.lists(inner, max_size=2),
        ),
        st.builds(
            lambda a, s, c: f"f'<{{({a})!{c}:{s}}}>'", inner, st.sampled_from(SPECS), st.sampled_from("sra")
        ).filter(lambda text: text.count("'") == 2 and "\\" not in text and "\n" not in text),
        st.builds(lambda a, s: f"format({a}, {s!r})", inner, st.sampled_from(SPECS)),
        comprehension,
    )


EXPRESSIONS = st.recursive(ATOMS, _compound, max_leaves=6)

NAMES: dict[str, str] = {
    "a": "3",
    "b": "-7",
    "c": "[3, 1, 2]",
    "d": "{'x': 1, 'y': [2]}",
    "e": "'banana'",
    "f": "[[1, 2], [3]]",
    "g": "(1, 'two', 3.0)",
    "h": "{1, 2, 3}",
}
