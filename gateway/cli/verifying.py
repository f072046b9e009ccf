"""How does `gsc verify` tell what holds? A bundle or a statement's PDF, offline; with a home also against the chain."""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ledger.errors import Malformed

if TYPE_CHECKING:
    from gateway.documents.statement.checking import Checked

_PDF = b"%PDF-"


def verify_file(file: Path, home: Path | None, as_json: bool) -> int:
    """Check a file and tell; 1 if something in it does not hold. Raises Malformed for a file that is neither."""
    with file.open("rb") as stream:
        begins = stream.read(len(_PDF))
    return _verify_pdf(file, home, as_json) if begins == _PDF else _verify_bundle(file, home, as_json)


def _verify_pdf(file: Path, home: Path | None, as_json: bool) -> int:
    from gateway.cli.showing import printable, show_json, show_next
    from gateway.documents.statement.checking import check_pdf

    checked = _with_home(file.read_bytes(), home) if home is not None else check_pdf(file.read_bytes())
    if as_json:
        show_json(_plain(checked))
        return 0 if checked.holds else 1
    for line in checked.proven:
        typer.echo(printable(f"holds   {line}"))
    for line in checked.faults:
        typer.echo(printable(f"BROKEN  {line}"))
    both, period = (checked.content["drawnBy"], checked.content["partner"]), checked.content["period"]
    if home is None and checked.holds:
        show_next(f"gsc verify {file} --home DIR, to hold it against the chain")
    elif checked.holds:
        show_next("gsc net")
    else:
        show_next(printable(f"ask {' or '.join(map(str, both))} for the statement of {period} again"))
    return 0 if checked.holds else 1


def _with_home(pdf: bytes, home: Path) -> "Checked":
    from gateway.cli.parts import home_of
    from gateway.documents.statement.checking import check_pdf

    with closing(home_of(home)) as gateway:
        return check_pdf(pdf, gateway)


def _plain(checked: "Checked") -> dict[str, Any]:
    about = {name: checked.content[name] for name in ("drawnBy", "partner", "period", "statementId", "state")}
    return {"holds": checked.holds, "proven": checked.proven, "faults": checked.faults, "about": about}


def _verify_bundle(file: Path, home: Path | None, as_json: bool) -> int:
    from gateway import verify_bundle
    from gateway.cli.showing import show_json

    try:
        content, proven, faults = verify_bundle.verify_file(str(file))
    except verify_bundle.MALFORMED as error:
        told = verify_bundle.told(error)
        got = f"a bundle without {told}" if isinstance(error, KeyError) else told
        raise Malformed(
            "not a file that verify knows", expected="a bundle or a PDF made by `gsc document`", got=got
        ) from None
    if as_json:
        show_json({"holds": not faults, "proven": proven, "faults": faults, "about": content.get("about", {})})
        return 1 if faults else 0
    return verify_bundle.main([str(file)])
