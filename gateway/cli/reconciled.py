"""How does a reconciliation read on a terminal? Totals with their verdict, a waterfall, findings, and the days to send.

Plain text of whatever width the terminal has: a pipe gets the same lines as a screen.
"""

from collections.abc import Iterator, Mapping, Sequence
from textwrap import wrap
from typing import Any

from gateway.cli.showing import counted, printable

NARROWEST, WIDEST = 48, 120
BAR = 24
"""Characters of the longest bar of the waterfall."""
DAYS = 12
"""Lines of the day-wise summary that a screen shows; --json has all."""
_VERDICTS = {
    "equal": "nothing differs",
    "within": "within the agreement's tolerance",
    "beyond": "beyond the agreement's tolerance",
}


def lines_of(answer: Mapping[str, Any], columns: int) -> list[str]:
    """The lines of `gsc reconcile` on plain files, for a terminal of so many columns; the answer is that of --json."""
    width = max(NARROWEST, min(WIDEST, columns))
    parts = (_heading(answer), _waterfall(answer, width), _findings(answer, width), _days(answer), _disputes(answer))
    lines = [line for part in parts for line in (*part, "")]
    return [printable(line).rstrip() for line in lines[:-1]]


def _heading(answer: Mapping[str, Any]) -> Iterator[str]:
    totals = answer["totals"]
    ours, theirs = answer["ours"], answer["theirs"]
    yield f"{answer['service']} of {answer['period']}, owed to {answer['creditor']}"
    width = max(len(ours), len(theirs))
    for who, side in ((ours, "ours"), (theirs, "theirs")):
        left = len(answer["quarantined"][side])
        rest = f"  and {counted(left, 'row')} that could not be read" if left else ""
        count = totals[f"{side}_count"]
        word = "record" if count == 1 else "records"
        yield f"  {who:<{width}}  {count:>12,} {word:<7}  {_places(totals[side]):>16}{rest}"
    keys = totals["keys"]
    beyond = sum(each["verdict"] == "beyond" for each in keys)
    differ = "1 destination's day differs" if len(keys) == 1 else f"{len(keys):,} destinations' days differ"
    yield f"  in total {_VERDICTS[totals['verdict']]}; {differ}, {beyond:,} beyond it"
    yield f"  {counted(answer['pairs'], 'pair')}, {answer['exact']:,} of them equal"


def _waterfall(answer: Mapping[str, Any], width: int) -> Iterator[str]:
    fall = answer["waterfall"]
    steps = [step for step in fall["steps"] if _micros(step["difference"])]
    most = max((abs(_micros(step["difference"])) for step in steps), default=1)
    name = max([len(step["cause"]) for step in steps] + [len(answer["ours"]), len(answer["theirs"])])
    shown = [_signed(_micros(step["difference"])) for step in steps]
    amounts = [_places(fall["ours"]), _places(fall["theirs"]), *shown]
    amount = max(map(len, amounts))
    bar = max(6, min(BAR, width - name - amount - 6))
    yield "from our amount to theirs"
    yield f"  {answer['ours']:<{name}}  {_places(fall['ours']):>{amount}}"
    for step in steps:
        moved = -_micros(step["difference"])
        length = max(1, abs(moved) * bar // most)
        yield f"  {step['cause']:<{name}}  {_signed(moved):>{amount}}  {('+' if moved > 0 else '-') * length}"
    yield f"  {answer['theirs']:<{name}}  {_places(fall['theirs']):>{amount}}"


def _findings(answer: Mapping[str, Any], width: int) -> Iterator[str]:
    found = answer["findings"]
    yield counted(len(found), "finding") if found else _nothing_found(answer)
    for number, each in enumerate(found, 1):
        head = (
            f"  {number}. {each['cause']}, {counted(each['count'], 'record')}, {_signed(_micros(each['difference']))}"
        )
        yield f"{head} ({each['severity']})"
        yield from wrap(each["explanation"], width, initial_indent="     ", subsequent_indent="     ")


def _nothing_found(answer: Mapping[str, Any]) -> str:
    """What could not be read may differ."""
    left = {side: len(rows) for side, rows in answer["quarantined"].items() if rows}
    if not left:
        return "no findings: both sides say the same"
    rest = " and ".join(f"{counted(count, 'row')} of {side}" for side, count in left.items())
    return f"no findings in what could be read; {rest} could not"


def _days(answer: Mapping[str, Any]) -> Iterator[str]:
    """What goes to the other side first: counts and amounts by destination and day, and no record."""
    keys: Sequence[Mapping[str, Any]] = answer["totals"]["keys"]
    if not keys:
        return
    worst = sorted(keys, key=lambda each: (each["verdict"] != "beyond", -abs(_micros(each["difference"]))))
    yield "days that differ, to be sent first"
    name = min(24, max(11, *(len(each["destination"]) for each in worst[:DAYS])))
    yield f"  {'day':<10}  {'destination':<{name}}  {'ours':>8}  {'theirs':>8}  {'difference':>12}"
    for each in worst[:DAYS]:
        counts = f"{each['ours_count']:>8,}  {each['theirs_count']:>8,}"
        moved = f"{_signed(_micros(each['difference'])):>12}"
        yield f"  {each['day']}  {each['destination'][:name]:<{name}}  {counts}  {moved}  {each['verdict']}"
    if len(worst) > DAYS:
        yield f"  and {len(worst) - DAYS:,} more; --json has all"


def _disputes(answer: Mapping[str, Any]) -> Iterator[str]:
    """The debtor's: who is owed hears what may come, in the other's words."""
    found = answer["disputes"]
    whose = f"that {answer['theirs']} may dispute" if answer["creditor"] == answer["ours"] else "to dispute"
    why = "" if found else _why_none(answer)
    yield f"{counted(len(found), 'cause')} {whose}{why}"
    for each in found:
        yield f"  {each['cause']}: {_places(each['amount'])} ({each['rule']})"


def _why_none(answer: Mapping[str, Any]) -> str:
    """Why findings outside tolerance are no dispute, where there are some (reconciliation/settling/disputes.py)."""
    sign = 1 if answer["creditor"] == answer["ours"] else -1
    marked = (each for each in answer["findings"] if each["severity"] == "dispute")
    if any(sign * _micros(each["difference"]) > 0 for each in marked):
        return ": what is charged too much is below the volume that the agreement raises disputes from"
    return ""


def _micros(amount: str) -> int:
    from ledger.money import parse_micros

    return parse_micros(amount)


def _places(amount: str) -> str:
    """Two places, thousands separated."""
    return _signed(_micros(amount)).removeprefix("+")


def _signed(micros: int) -> str:
    """As many places as show that something moved: -1,204.10, +0.0004."""
    from ledger.money import show_micros

    places = 2 if micros == 0 or abs(micros) >= 10_000 else 6
    whole, part = show_micros(abs(micros), places).split(".")
    sign = "-" if micros < 0 else "+" if micros else ""
    return f"{sign}{int(whole):,}.{part}"
