"""Which files were imported, what did each bring, and which rows of it were left out?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gateway.composition import Gateway, partnership_of_id
from gateway.desk.views.moods import Mood, State
from gateway.month.importing import ImportAnswer
from gateway.staging.staged import Staged, list_staged, preset_choices
from gateway.staging.work import Work
from ledger.store.engine import reading
from ledger.store.imports import (
    Import,
    QuarantinedRow,
    import_of,
    list_imports,
    list_quarantined,
    quarantined_after,
    replay_of,
    usage_of_import,
)

PAGE_ROWS = 50


@dataclass(frozen=True, slots=True)
class ImportsView:
    """All files, the latest first, and what waits."""

    imports: Sequence[Import]
    staged: Sequence[Staged]


@dataclass(frozen=True, slots=True)
class BroughtRow:
    """What one direction and month got out of a file, and how far it is."""

    partner: str
    creditor: str
    service: str
    period: str
    count: int
    root: str
    state: State


@dataclass(frozen=True, slots=True)
class ImportView:
    """One imported file and a page of its quarantine."""

    each: Import
    brought: Sequence[BroughtRow]
    rows: Sequence[QuarantinedRow]
    every_row: Callable[[], Sequence[QuarantinedRow]]
    """All rows that were left out."""
    after: int | None
    replayed: Import | None
    """The import that read its quarantined rows again."""
    presets: Sequence[str]
    trying: Work[ImportAnswer] | None
    """A replay that is on its way, or ended."""


def imports_view(gateway: Gateway) -> ImportsView:
    """All files."""
    with reading(gateway.engine) as connection:
        return ImportsView(list_imports(connection), list_staged(gateway.settings))


def import_view(gateway: Gateway, import_id: int, after: int, trying: Work[ImportAnswer] | None) -> ImportView:
    """One file; its quarantined rows of lines above `after`. Raises NotFound."""
    with reading(gateway.engine) as connection:
        each = import_of(connection, import_id)
        usages = usage_of_import(connection, import_id)
        rows = quarantined_after(connection, import_id, after, PAGE_ROWS + 1)
        replayed = replay_of(connection, import_id)
    return ImportView(
        each=each,
        brought=[
            BroughtRow(
                partner=partnership_of_id(gateway.settings, usage.scope.agreement_id).partner,
                creditor=usage.scope.creditor,
                service=usage.scope.service.word,
                period=str(usage.scope.period),
                count=usage.count,
                root=f"0x{usage.root.hex()}" if usage.root else "",
                state=State("sealed", Mood.GOOD) if usage.root else State("waits_for_seal"),
            )
            for usage in usages
        ],
        rows=rows[:PAGE_ROWS],
        every_row=lambda: _every_row(gateway, import_id),
        after=rows[PAGE_ROWS - 1].line if len(rows) > PAGE_ROWS else None,
        replayed=replayed,
        presets=preset_choices(gateway.settings),
        trying=trying,
    )


def _every_row(gateway: Gateway, import_id: int) -> list[QuarantinedRow]:
    with reading(gateway.engine) as connection:
        return list_quarantined(connection, import_id)
