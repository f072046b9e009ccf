"""Does a Ray cluster say the same to the byte? `make test-ray`: Ray is not asked of everyone."""

from pathlib import Path

from reconciliation.engines.choosing import runner_of
from tests.reconciliation.engines.two_sides import small_month, whole_answer


def test_two_workers_of_this_machine_say_what_this_process_says(tmp_path: Path) -> None:
    month = small_month(tmp_path)
    assert whole_answer(month, runner_of("ray")) == whole_answer(month, None)
