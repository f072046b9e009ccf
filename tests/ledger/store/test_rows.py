"""Does a row become a value whatever the order of its columns?"""

from dataclasses import dataclass

from sqlalchemy import create_engine, text

from ledger.store.rows import all_of, one_of
from ledger.usage import BatchScope


@dataclass(frozen=True)
class _Scoped:
    first: int
    scope: BatchScope
    last: str


@dataclass(frozen=True)
class _Single:
    last: str


def test_columns_go_to_fields_by_name() -> None:
    scope = ", ".join(f"'{name}' AS {name}" for name in reversed(BatchScope._fields))
    with create_engine("sqlite://").connect() as connection:
        rows = connection.execute(text(f"SELECT 'z' AS last, {scope}, 5 AS first, 'unasked' AS other")).all()
    value = one_of(_Scoped, rows[0])
    assert (value.first, value.last) == (5, "z")
    assert value.scope._asdict() == {name: name for name in BatchScope._fields}
    assert all_of(_Single, rows) == [_Single("z")]
    assert all_of(_Scoped, []) == []
