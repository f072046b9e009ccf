import ast
from pathlib import Path

import reconciliation
from reconciliation import assignment, clock_samples, forgery, keys, matching
from reconciliation.warming import warm

ROOM = Path(str(reconciliation.__path__[0]))
MODULES = (assignment, clock_samples, forgery, keys, matching)


def entry_loops() -> list[str]:
    """Compiled loops of the engine that no other one calls: those that Python calls."""
    loops: list[ast.FunctionDef] = []
    for path in sorted(ROOM.glob("*.py")):
        functions = [node for node in ast.parse(path.read_text("utf-8")).body if isinstance(node, ast.FunctionDef)]
        loops += [f for f in functions if any(getattr(each, "id", "") == "compiled" for each in f.decorator_list)]
    called = {node.id for loop in loops for each in loop.body for node in ast.walk(each) if isinstance(node, ast.Name)}
    return sorted({loop.name for loop in loops} - called)


def test_every_loop_that_python_calls_is_compiled_after_warming() -> None:
    warm()
    found = [(module, name) for module in MODULES for name in entry_loops() if hasattr(module, name)]
    compiled = {name: getattr(module, name).signatures for module, name in found}
    assert sorted(compiled) == entry_loops()
    assert len(compiled) >= 6
    assert all(compiled.values()), compiled


def test_the_warming_month_is_explained_like_any_other() -> None:
    answer = warm()
    assert answer.pairs == 11
    assert sum(finding.difference_micros for finding in answer.findings) == 1
