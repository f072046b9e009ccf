"""Is what one view of the store was asked twice read once, and never kept for another view or a writer?"""

from sqlalchemy import Connection, Engine, text

from ledger.store.engine import reading, writing
from ledger.store.once import once_a_view

asked: list[str] = []


@once_a_view
def numbers(connection: Connection, least: int = 0) -> list[int]:
    """Asks the store, and says so."""
    asked.append(f"{least}")
    return list(connection.execute(text(f"SELECT {least} UNION SELECT 7")).scalars())


def test_a_view_is_asked_once_for_each_question(engine: Engine) -> None:
    asked.clear()
    with reading(engine) as connection:
        assert [numbers(connection), numbers(connection), numbers(connection, 3)] == [[0, 7], [0, 7], [3, 7]]
        assert numbers(connection, least=3) == [3, 7]
    assert asked == ["0", "3", "3"], "by place and by name are two questions"


def test_who_changes_what_it_was_told_changes_it_for_nobody_else(engine: Engine) -> None:
    with reading(engine) as connection:
        numbers(connection).clear()
        assert numbers(connection) == [0, 7]


def test_another_view_and_a_writer_are_told_anew(engine: Engine) -> None:
    asked.clear()
    for _ in range(2):
        with reading(engine) as connection:
            numbers(connection)
    with writing(engine) as connection:
        numbers(connection)
        numbers(connection)
    assert asked == ["0"] * 4
