"""How does a loop over columns run at the speed of the machine? Compiled, or interpreted where there is no compiler.

Both give the same values; a machine without numba only waits longer. What a kernel may call beside numpy stands here.
"""

try:
    from ledger.compiled import (
        are_digits,
        eight_digits,
        fetch_early,
        first_bit,
        kernel,
        multiply_high,
        put_word,
        word_at,
    )

    IS_COMPILED = True
except ModuleNotFoundError as missing:
    if missing.name not in ("numba", "llvmlite"):
        raise
    from ledger.interpreted import (
        are_digits,
        eight_digits,
        fetch_early,
        first_bit,
        kernel,
        multiply_high,
        put_word,
        word_at,
    )

    IS_COMPILED = False

__all__ = [
    "IS_COMPILED",
    "are_digits",
    "eight_digits",
    "fetch_early",
    "first_bit",
    "kernel",
    "multiply_high",
    "put_word",
    "word_at",
]
