"""Which page says what a contract's refusal means? Written from the bindings: `python -m scripts.problem_pages`.

A refusal of the contracts is an error of the API too, under its own slug; what it says, its arguments and what to do
stand in the binding. Pages of all other errors are written by hand and left alone.
"""

from pathlib import Path

from gateway.answers import camel
from ledger.chain.bindings import ERRORS
from ledger.chain.bound import TypedRefusal

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "problems"
BY_HAND = frozenset({"currency-mismatch", "root-mismatch"})
"""Errors of ours that share their slug with a contract's."""


def pages() -> dict[str, str]:
    """The text of each page, by slug."""
    return {error.slug: page_of(error) for error in ERRORS.values() if error.slug not in BY_HAND}


def page_of(error: type[TypedRefusal]) -> str:
    """One page."""
    said = (error.__doc__ or error.MESSAGE).strip().rstrip(".")
    lines = [f"# {error.slug.replace('-', ' ').capitalize()}", "", f"`{error.slug}`, HTTP status {error.status}", ""]
    lines += [f"{said}. A contract of the ledger refused the call: `{error.SIGNATURE}`.", ""]
    if error.FIELDS:
        lines += ["## Members", ""]
        lines += [f"- `{camel(name)}`{_part(error, name)}" for name, _ in error.FIELDS]
        lines.append("")
    todo = error.TODO or "Read the present state from the chain and decide again: nothing was changed."
    return "\n".join([*lines, "## What to do next", "", f"- {todo}", ""])


def _part(error: type[TypedRefusal], name: str) -> str:
    return ": what was expected" if name == error.EXPECTED else ": what came" if name == error.GOT else ""


def main() -> None:
    """Write every page."""
    for slug, text in pages().items():
        (FOLDER / f"{slug}.md").write_text(text, "utf-8")


if __name__ == "__main__":
    main()
