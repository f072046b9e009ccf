"""Does a table on the terminal show what other carriers wrote, without obeying it?"""

import pytest

from gateway.cli.showing import printable, show_rows


def test_a_destination_that_moves_the_cursor_is_shown_and_not_obeyed(capsys: pytest.CaptureFixture[str]) -> None:
    show_rows(["destination", "calls"], [["\x1b[2JChina\r\nnext: gsc pay", 1], ["中国 [red]", 22]])

    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("?[2JChina??next: gsc pay")
    assert lines[2].startswith("中国 [red]")
    assert len(lines) == 3


def test_only_what_a_terminal_obeys_is_replaced() -> None:
    assert printable("+86 139 \u202e\x07\x00é") == "+86 139 ???é"
