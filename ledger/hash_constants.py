"""Which constants do the two hashes use? Keccak-f[1600] (FIPS 202) and SHA-256 (FIPS 180-4), computed, not copied."""

from math import isqrt


def _keccak_rounds() -> tuple[int, ...]:
    """FIPS 202, algorithm 5: bits from an 8-bit linear feedback shift register."""
    register, rounds = 1, []
    for _ in range(24):
        constant = 0
        for j in range(7):
            constant |= (register & 1) << ((1 << j) - 1)
            register = (register << 1) ^ (0x171 if register & 0x80 else 0)
        rounds.append(constant)
    return tuple(rounds)


def _keccak_rotations() -> tuple[tuple[int, ...], ...]:
    """FIPS 202, section 3.2.2: triangular numbers along the walk (x, y) -> (y, 2x + 3y)."""
    turns = [[0] * 5 for _ in range(5)]
    x, y = 1, 0
    for t in range(24):
        turns[x][y] = (t + 1) * (t + 2) // 2 % 64
        x, y = y, (2 * x + 3 * y) % 5
    return tuple(tuple(row) for row in turns)


def _primes(count: int) -> list[int]:
    found: list[int] = []
    candidate = 2
    while len(found) < count:
        if all(candidate % prime for prime in found):
            found.append(candidate)
        candidate += 1
    return found


def _cube_root(value: int) -> int:
    low, high = 0, 1 << (value.bit_length() // 3 + 1)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**3 <= value else (low, middle - 1)
    return low


KECCAK_ROUNDS = _keccak_rounds()
"""24 round constants."""
KECCAK_ROTATIONS = _keccak_rotations()
"""Turn of word (x, y) at [x][y]."""
SHA256_ROUNDS = tuple(_cube_root(prime << 96) & 0xFFFFFFFF for prime in _primes(64))
"""Fractions of the cube roots of the first 64 primes."""
SHA256_START = tuple(isqrt(prime << 64) & 0xFFFFFFFF for prime in _primes(8))
"""Fractions of the square roots of the first 8 primes."""
