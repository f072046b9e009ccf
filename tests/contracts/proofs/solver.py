"""Is a formula of the proofs satisfiable? halmos starts this with an SMT-LIB file and reads the answer and the model.

Where amounts are multiplied or divided, one solver needs a tenth of a second and the other minutes, and which of them
it is depends on the formula: yices, which works on bits, and cvc5, which translates to integers. They race; the first
answer counts. Runs in .venv-proofs, by its own interpreter.
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path

HARD = re.compile(r"\(bv(?:mul|udiv|sdiv|urem|srem)\b")
OPTIONS = {"produce-models": "true", "solve-bv-as-int": "iand"}
INTEGERS = "--integers"


def solve_over_integers(path: Path) -> None:
    """Write to standard output what cvc5 answers to each command of the file."""
    import cvc5

    solver = cvc5.Solver()
    for option, value in OPTIONS.items():
        solver.setOption(option, value)
    parser = cvc5.InputParser(solver)
    parser.setFileInput(cvc5.InputLanguage.SMT_LIB_2_6, str(path))
    symbols = parser.getSymbolManager()
    while not (command := parser.nextCommand()).isNull():
        sys.stdout.write(command.invoke(solver, symbols))
        sys.stdout.flush()


def race(commands: Sequence[Sequence[str]]) -> str:
    """What the first of the programs says that decides; the others are ended, and all are if this is told to end."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for command in commands]
    with ThreadPoolExecutor(len(running)) as pool:
        try:
            return first_answer({pool.submit(program.communicate) for program in running})
        finally:
            for program in running:
                program.kill()


def first_answer(waiting: set[Future[tuple[str, str]]]) -> str:
    """The first that says sat or unsat; what the last one said if none does."""
    said = ""
    while waiting:
        done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
        for answered in done:
            said, _ = answered.result()
            if said.startswith(("sat", "unsat")):
                return said
    return said


def main(arguments: Sequence[str]) -> None:
    path = Path(arguments[-1])
    yices = [str(Path(sys.executable).with_name("yices-smt2")), str(path)]
    if arguments[0] == INTEGERS:
        solve_over_integers(path)
    elif HARD.search(path.read_text(encoding="utf-8")):
        sys.stdout.write(race([yices, [sys.executable, __file__, INTEGERS, str(path)]]))
    else:
        os.execv(yices[0], yices)


if __name__ == "__main__":
    main(sys.argv[1:])
