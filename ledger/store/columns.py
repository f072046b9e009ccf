"""How do our values become columns, the same in SQLite and in PostgreSQL?

Every integer is checked to fit 64 bits before it is bound; amounts and quantities that the chain says may have 128 and
stand as digits. Every id is checked to have 32 bytes. SQLite's STRICT tables know INTEGER, TEXT and BLOB only, so
nothing else is used.
"""

from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import BigInteger, Dialect, Integer, LargeBinary, Text
from sqlalchemy.exc import DontWrapMixin
from sqlalchemy.types import TypeDecorator, TypeEngine

from ledger.errors import Malformed
from ledger.identity import CarrierCode
from ledger.period import Period, period_of_key
from ledger.service import Service

INT64 = BigInteger().with_variant(Integer(), "sqlite")
"""BIGINT in PostgreSQL; INTEGER, which is as wide, in SQLite."""
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1

Word = TypeVar("Word", bound=StrEnum)


class ColumnUnfit(Malformed, DontWrapMixin):
    """A value that no column can hold; nothing is written."""

    slug = "column-unfit"


def check_int64(value: object, what: str) -> int:
    """The integer, if 64 bits hold it. Raises ColumnUnfit."""
    if not isinstance(value, int) or isinstance(value, bool) or not INT64_MIN <= value <= INT64_MAX:
        raise ColumnUnfit(f"{what} does not fit the ledger", expected="a 64-bit integer", got=repr(value)[:60])
    return value


def check_int256(value: object, what: str) -> int:
    """The integer, if the chain's words hold it. Raises ColumnUnfit."""
    if not isinstance(value, int) or isinstance(value, bool) or not -(2**255) <= value < 2**256:
        raise ColumnUnfit(f"{what} does not fit the ledger", expected="an integer of 256 bits", got=repr(value)[:60])
    return value


def check_hash32(value: object) -> bytes:
    """The bytes, if they are 32. Raises ColumnUnfit."""
    if not isinstance(value, bytes) or len(value) != 32:
        raise ColumnUnfit("not an id of the ledger", expected="32 bytes", got=repr(value)[:80])
    return value


class Whole(TypeDecorator[int]):
    """A 64-bit integer: amounts in micros, times in ms or seconds, counts, numbers of blocks."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(INT64)

    def process_bind_param(self, value: int | None, dialect: Dialect) -> int | None:
        return None if value is None else check_int64(value, "an integer")


class Exact(TypeDecorator[int]):
    """An integer as wide as the chain's, in digits: what others put on chain must not be too large to follow.

    Not for SQL to add or to compare.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> str | None:
        return None if value is None else str(check_int256(value, "an integer"))

    def process_result_value(self, value: Any, dialect: Dialect) -> int | None:
        return None if value is None else int(value)


class Hash32(TypeDecorator[bytes]):
    """32 bytes: ids, roots, hashes."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        return None if value is None else check_hash32(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> bytes | None:
        return None if value is None else bytes(value)


class Blob(TypeDecorator[bytes]):
    """Bytes of any length."""

    impl = LargeBinary
    cache_ok = True

    def process_result_value(self, value: Any, dialect: Dialect) -> bytes | None:
        return None if value is None else bytes(value)


class Carrier(TypeDecorator[CarrierCode]):
    """A carrier's code."""

    impl = Text
    cache_ok = True

    def process_result_value(self, value: Any, dialect: Dialect) -> CarrierCode | None:
        return None if value is None else CarrierCode(value)


class ServiceNumber(TypeDecorator[Service]):
    """A service, by its number in contracts/Types.sol."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(INT64)

    def process_bind_param(self, value: Service | None, dialect: Dialect) -> int | None:
        return None if value is None else int(Service(value))

    def process_result_value(self, value: Any, dialect: Dialect) -> Service | None:
        return None if value is None else Service(value)


class PeriodKey(TypeDecorator[Period]):
    """A period as YYYYMM."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(INT64)

    def process_bind_param(self, value: Period | None, dialect: Dialect) -> int | None:
        return None if value is None else value.key

    def process_result_value(self, value: Any, dialect: Dialect) -> Period | None:
        return None if value is None else period_of_key(value)


class YesNo(TypeDecorator[bool]):
    """A truth value, as 0 or 1."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(INT64)

    def process_bind_param(self, value: bool | None, dialect: Dialect) -> int | None:
        return None if value is None else int(bool(value))

    def process_result_value(self, value: Any, dialect: Dialect) -> bool | None:
        return None if value is None else bool(value)


class WordOf(TypeDecorator[Word]):
    """A member of a StrEnum, by its word."""

    impl = Text
    cache_ok = True

    def __init__(self, words: type[Word]) -> None:
        super().__init__()
        self.words = words

    def process_bind_param(self, value: Word | None, dialect: Dialect) -> str | None:
        return None if value is None else self.words(value).value

    def process_result_value(self, value: Any, dialect: Dialect) -> Word | None:
        return None if value is None else self.words(value)
