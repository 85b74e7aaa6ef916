"""Word lists about CPython and its builtins that the static analyses share. Facts only; no code decides
here."""

from __future__ import annotations


def words(text: str) -> frozenset[str]:
    """The words of a text as a set."""
    return frozenset(text.split())


# -- instructions, CPython 3.11 to 3.13 ----------------------------------------------------------------------

LEAVES = words("RETURN_VALUE RETURN_CONST")
JUMPS = words("JUMP_FORWARD JUMP_BACKWARD JUMP_BACKWARD_NO_INTERRUPT JUMP JUMP_NO_INTERRUPT")
RERAISES = words("RERAISE END_ASYNC_FOR CLEANUP_THROW")
"""These raise again what was raised before: the interpreter reports no exception event for them."""

QUIET = (
    words(
        """CACHE NOP EXTENDED_ARG RESUME POP_TOP COPY SWAP PUSH_NULL LOAD_CONST LOAD_CLOSURE STORE_FAST
        STORE_DEREF MAKE_CELL COPY_FREE_VARS PUSH_EXC_INFO POP_EXCEPT RETURN_GENERATOR KW_NAMES PRECALL
        LOAD_ASSERTION_ERROR LOAD_BUILD_CLASS IS_OP END_FOR END_SEND MAKE_FUNCTION SET_FUNCTION_ATTRIBUTE
        LOAD_FAST_AND_CLEAR STORE_FAST_MAYBE_NULL STORE_FAST_STORE_FAST LOAD_FAST_LOAD_FAST
        STORE_FAST_LOAD_FAST BUILD_TUPLE BUILD_LIST BUILD_SLICE BUILD_STRING LIST_APPEND
        POP_JUMP_FORWARD_IF_NONE POP_JUMP_FORWARD_IF_NOT_NONE POP_JUMP_BACKWARD_IF_NONE
        POP_JUMP_BACKWARD_IF_NOT_NONE POP_JUMP_IF_NONE POP_JUMP_IF_NOT_NONE"""
    )
    | LEAVES
    | JUMPS
)
"""What can't raise. Whatever is not listed may: sound also for instructions of a later Python."""

GIVES_BOOL = words(
    """IS_OP CONTAINS_OP CHECK_EXC_MATCH UNARY_NOT TO_BOOL MATCH_SEQUENCE MATCH_MAPPING LOAD_CONST"""
)
"""After these a conditional jump asks no object for its truth."""

COMPREHENSION_FRAME = words(
    """FOR_ITER GET_ITER END_FOR YIELD_VALUE RESUME POP_TOP JUMP_BACKWARD RETURN_CONST RETURN_VALUE TO_BOOL
    POP_JUMP_IF_TRUE POP_JUMP_IF_FALSE"""
)
"""The instructions of a comprehension that belong to none of the expressions in it."""

# -- names that call nobody, or only operators ---------------------------------------------------------------

PLAIN_DECORATORS = words("staticmethod classmethod abstractmethod override final overload")
"""The function they decorate is still what a call of its name enters."""
ATTRIBUTE_DECORATORS = words("property cached_property setter getter deleter")
"""The function they decorate is entered by reading or writing an attribute."""

QUIET_BUILTINS = words(
    """object super id callable globals locals property staticmethod classmethod slice memoryview ord chr
    breakpoint input license range type"""
)
"""Calling them enters nothing of the document."""

OPERATOR_BUILTINS = {
    "len": "truth",
    "bool": "truth",
    "repr": "text",
    "str": "text",
    "ascii": "text",
    "format": "text",
    "print": "text",
    "int": "number",
    "float": "number",
    "complex": "number",
    "abs": "number",
    "round": "number",
    "pow": "number",
    "divmod": "number",
    "hex": "number",
    "bin": "number",
    "oct": "number",
    "hash": "hash",
    "isinstance": "match",
    "issubclass": "match",
    "getattr": "attribute",
    "hasattr": "attribute",
    "setattr": "attribute",
    "delattr": "attribute",
    "dir": "attribute",
    "enumerate": "begin",
    "zip": "begin",
    "map": "begin",
    "filter": "begin",
    "iter": "begin",
    "reversed": "begin",
}
"""Builtins that enter special methods only, and which group of them."""

SPECIAL = {
    "truth": words("__bool__ __len__"),
    "text": words("__str__ __repr__ __format__"),
    "number": words(
        """__add__ __sub__ __mul__ __matmul__ __truediv__ __floordiv__ __mod__ __divmod__ __pow__ __lshift__
        __rshift__ __and__ __xor__ __or__ __radd__ __rsub__ __rmul__ __rmatmul__ __rtruediv__ __rfloordiv__
        __rmod__ __rdivmod__ __rpow__ __rlshift__ __rrshift__ __rand__ __rxor__ __ror__ __iadd__ __isub__
        __imul__ __imatmul__ __itruediv__ __ifloordiv__ __imod__ __ipow__ __ilshift__ __irshift__ __iand__
        __ixor__ __ior__ __neg__ __pos__ __invert__ __abs__ __round__ __trunc__ __floor__ __ceil__
        __index__ __int__ __float__ __complex__ __bool__ __len__ __bytes__ __fspath__ __str__ __repr__
        __format__ __iter__ __next__ __getitem__ __eq__ __hash__ __concat__"""
    ),
    "compare": words("__eq__ __ne__ __lt__ __le__ __gt__ __ge__ __cmp__ __hash__"),
    "hash": words("__hash__ __eq__"),
    "item": words(
        """__getitem__ __setitem__ __delitem__ __missing__ __hash__ __eq__ __index__ __class_getitem__
        __len__"""
    ),
    "begin": words("__iter__ __getitem__ __reversed__ __len__ __aiter__ __length_hint__"),
    "iterate": words(
        """__iter__ __next__ __getitem__ __len__ __contains__ __eq__ __hash__ __length_hint__ __index__
        __aiter__ __anext__ __await__ keys __lt__"""
    ),
    "attribute": words(
        """__getattr__ __getattribute__ __setattr__ __delattr__ __get__ __set__ __delete__ __dir__
        __set_name__"""
    ),
    "match": words(
        """__instancecheck__ __subclasscheck__ __subclasshook__ __getattr__ __getattribute__ __get__"""
    ),
    "manage": words("__enter__ __exit__ __aenter__ __aexit__ __await__"),
    "make": words(
        """__init__ __new__ __call__ __post_init__ __init_subclass__ __set_name__ __prepare__ __mro_entries__
        __class_getitem__ __instancecheck__"""
    ),
}
"""Groups of special methods, by what enters them."""

QUIET_METHODS = words(
    """append appendleft clear copy popleft rotate popitem strip lstrip rstrip split rsplit splitlines lower
    upper title capitalize casefold swapcase isalpha isdigit isalnum isspace isupper islower isidentifier
    isnumeric isdecimal istitle startswith endswith find rfind partition rpartition zfill ljust rjust
    center expandtabs encode decode items keys values bit_length to_bytes hex isoformat total_seconds
    removeprefix removesuffix insert reverse"""
)
"""Methods of builtin types that enter nothing of the document."""

LOOKUP_METHODS = words("get pop setdefault add discard remove index count sort")
"""Methods of builtin types that enter comparisons and hashes only (`sort`: without a key)."""

REFLECTION = words(
    """getattr globals locals vars eval exec compile __import__ methodcaller attrgetter import_module
    getmembers"""
)
"""With these a function may be found by a name that is made at run time."""

# -- what instructions enter ---------------------------------------------------------------------------------

_ITERATES = ("iterate",)
OPERATOR_GROUPS: dict[str, tuple[str, ...]] = {
    "UNARY_NEGATIVE": ("number",),
    "UNARY_POSITIVE": ("number",),
    "UNARY_INVERT": ("number",),
    "UNARY_NOT": ("truth",),
    "TO_BOOL": ("truth",),
    "COMPARE_OP": ("compare",),
    "CONTAINS_OP": ("compare", "iterate"),
    "BINARY_SUBSCR": ("item",),
    "BINARY_SLICE": ("item",),
    "STORE_SUBSCR": ("item",),
    "STORE_SLICE": ("item", "iterate"),
    "DELETE_SUBSCR": ("item",),
    "BUILD_MAP": ("hash",),
    "BUILD_CONST_KEY_MAP": ("hash",),
    "BUILD_SET": ("hash",),
    "SET_ADD": ("hash",),
    "MAP_ADD": ("hash",),
    "GET_ITER": ("begin",),
    "GET_AITER": ("begin",),
    "GET_YIELD_FROM_ITER": ("begin",),
    "GET_LEN": ("truth",),
    "FOR_ITER": _ITERATES,
    "SEND": _ITERATES,
    "GET_ANEXT": _ITERATES,
    "GET_AWAITABLE": _ITERATES,
    "LIST_EXTEND": _ITERATES,
    "SET_UPDATE": ("iterate", "hash"),
    "DICT_UPDATE": ("iterate", "hash"),
    "DICT_MERGE": ("iterate", "hash"),
    "UNPACK_SEQUENCE": _ITERATES,
    "UNPACK_EX": _ITERATES,
    "FORMAT_VALUE": ("text",),
    "FORMAT_SIMPLE": ("text",),
    "FORMAT_WITH_SPEC": ("text",),
    "CONVERT_VALUE": ("text",),
    "BEFORE_WITH": ("manage",),
    "BEFORE_ASYNC_WITH": ("manage",),
    "WITH_EXCEPT_START": ("manage",),
    "MATCH_CLASS": ("match", "attribute", "overriding"),
    "MATCH_KEYS": ("item", "compare", "iterate"),
    "END_ASYNC_FOR": _ITERATES,
    "CALL_INTRINSIC_1": ("number", "iterate"),
}
"""The groups of special methods (SPECIAL) that an instruction may enter."""

HARMLESS = words(
    """LOAD_FAST LOAD_FAST_CHECK LOAD_DEREF LOAD_GLOBAL LOAD_NAME LOAD_CLASSDEREF LOAD_FROM_DICT_OR_DEREF
    LOAD_FROM_DICT_OR_GLOBALS LOAD_LOCALS STORE_GLOBAL STORE_NAME DELETE_FAST DELETE_DEREF DELETE_GLOBAL
    DELETE_NAME CHECK_EXC_MATCH CHECK_EG_MATCH PREP_RERAISE_STAR RERAISE YIELD_VALUE IMPORT_NAME
    IMPORT_FROM IMPORT_STAR MATCH_SEQUENCE MATCH_MAPPING LIST_TO_TUPLE SETUP_ANNOTATIONS ASYNC_GEN_WRAP
    CLEANUP_THROW LOAD_ASSERTION_ERROR CALL_INTRINSIC_2 SETUP_ANNOTATIONS PRINT_EXPR GET_AWAITABLE
    LOAD_COMMON_CONSTANT"""
)
"""Instructions that may raise, but enter nothing of the document."""

# -- what foreign code does ----------------------------------------------------------------------------------

HARMLESS_BASES = words(
    """object list dict set tuple frozenset int str float bytes ABC Generic Protocol NamedTuple TypedDict"""
)
"""Base classes that call no overriding method but special ones."""
CALM_BASES = words(
    """Enum IntEnum Flag IntFlag StrEnum TestCase Thread Process NodeVisitor NodeTransformer HTMLParser
    Formatter Handler Filter Logger Action ArgumentParser HelpFormatter Template JSONEncoder JSONDecoder
    Module BaseModel Cmd Random ModelBase Model Repr PrettyPrinter ConfigParser type"""
)
"""Base classes whose operators call no overriding method."""
CONSUMERS = words("any all sum min max list tuple set frozenset dict sorted")
"""Builtins that take from a generator and keep nothing of it."""
LAZY_CALLERS = words(
    """map filter iter accumulate takewhile dropwhile filterfalse starmap groupby chain imap scandir finditer
    reduce partial partialmethod cached_property lru_cache cache singledispatch ThreadPoolExecutor
    ProcessPoolExecutor"""
)
"""With these, taking the next item may call a function that was handed over before."""

# -- what methods and builtins do to their objects -----------------------------------------------------------

READING_METHODS = words(
    """get copy keys values items index count union intersection difference symmetric_difference issubset
    issuperset isdisjoint most_common elements total join split rsplit splitlines strip lstrip rstrip lower
    upper title capitalize casefold swapcase startswith endswith find rfind rindex replace format encode
    decode isalpha isdigit isalnum isspace isupper islower isidentifier isnumeric isdecimal istitle isascii
    isprintable partition rpartition zfill ljust rjust center expandtabs removeprefix removesuffix
    translate bit_length bit_count to_bytes hex as_integer_ratio is_integer conjugate isoformat strftime
    total_seconds group groups groupdict start end span"""
)
"""Methods of builtin types that leave their object as it is, and give out no way to it but views and
elements."""
MUTATING_METHODS = words(
    """append extend insert remove pop clear sort reverse add discard update difference_update
    intersection_update symmetric_difference_update setdefault popitem appendleft extendleft popleft rotate
    subtract move_to_end"""
)
"""Methods of builtin containers that change their object, and nothing else."""
TAKING_METHODS = words(
    """join extend update union intersection difference symmetric_difference difference_update
    intersection_update symmetric_difference_update issubset issuperset isdisjoint extendleft startswith
    endswith fromkeys from_iterable"""
)
"""Methods of builtin types that take the elements of an argument, and don't keep the argument."""
LOOKING_BUILTINS = words(
    """len sum min max sorted list tuple set frozenset dict str repr print enumerate zip range any all
    isinstance issubclass type reversed iter bool id hash int float complex abs round format ascii bytes
    bytearray ord chr bin hex oct divmod pow callable hasattr map filter"""
)
"""Builtins that change none of their arguments and keep none of them but to read from."""
MAKING_BUILTINS = words("list dict set sorted bytearray frozenset tuple str int float len sum abs")
"""Builtins that give a new object, or one that can't change."""
MAKING_IMPORTS = words("deque defaultdict Counter OrderedDict")
"""Names that make new containers, if they are imported."""
READING_MODULES = words(
    """math cmath statistics string re textwrap unicodedata fractions decimal datetime time calendar itertools
    operator json copy os posixpath ntpath hashlib base64 binascii struct keyword token tokenize numbers
    locale difflib fnmatch platform sys typing types collections enum dataclasses bisect uuid zlib html
    urllib colorsys ipaddress"""
)
"""Modules whose functions change none of their arguments."""
ARGUMENT_MODULES = words("heapq random bisect struct operator csv io pprint contextlib functools")
"""Modules whose functions change nothing but their arguments."""
MUTATING_FUNCTIONS = words(
    """insort insort_left insort_right pack_into setitem delitem iadd iand iconcat ifloordiv ilshift imatmul
    imod imul ior ipow irshift isub itruediv ixor countOf readinto"""
)
"""Functions of reading modules that change an argument."""
ITERATING = words(
    """GET_ITER GET_AITER GET_YIELD_FROM_ITER FOR_ITER LIST_EXTEND SET_UPDATE DICT_UPDATE DICT_MERGE
    UNPACK_SEQUENCE UNPACK_EX CONTAINS_OP END_ASYNC_FOR CALL_INTRINSIC_1"""
)
"""Instructions that take items from something."""
RENAMING = words("__qualname__ __name__ __module__ update_wrapper wraps setattr")
"""Where these are used, a function or class may get another name."""
