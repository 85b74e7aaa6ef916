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
        STORE_DEREF
        MAKE_CELL COPY_FREE_VARS PUSH_EXC_INFO POP_EXCEPT RETURN_GENERATOR KW_NAMES PRECALL
        LOAD_ASSERTION_ERROR LOAD_BUILD_CLASS IS_OP END_FOR END_SEND MAKE_FUNCTION SET_FUNCTION_ATTRIBUTE
        LOAD_FAST_AND_CLEAR STORE_FAST_MAYBE_NULL STORE_FAST_STORE_FAST LOAD_FAST_LOAD_FAST
        STORE_FAST_LOAD_FAST
        BUILD_TUPLE BUILD_LIST BUILD_SLICE BUILD_STRING LIST_APPEND POP_JUMP_FORWARD_IF_NONE
        POP_JUMP_FORWARD_IF_NOT_NONE POP_JUMP_BACKWARD_IF_NONE POP_JUMP_BACKWARD_IF_NOT_NONE POP_JUMP_IF_NONE
        POP_JUMP_IF_NOT_NONE"""
    )
    | LEAVES
    | JUMPS
)
"""What can't raise. Whatever is not listed may: sound also for instructions of a later Python."""

GIVES_BOOL = words(
    "IS_OP CONTAINS_OP CHECK_EXC_MATCH UNARY_NOT TO_BOOL MATCH_SEQUENCE MATCH_MAPPING LOAD_CONST"
)
"""After these a conditional jump asks no object for its truth."""

COMPREHENSION_FRAME = words(
    """FOR_ITER GET_ITER END_FOR YIELD_VALUE RESUME POP_TOP JUMP_BACKWARD RETURN_CONST RETURN_VALUE TO_BOOL
    POP_JUMP_IF_TRUE POP_JUMP_IF_FALSE"""
)
"""The instructions of a comprehension that belong to none of the expressions in it."""
