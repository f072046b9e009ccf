"""What would a file become that waits, and how is it to be read? Its dry run, and the mapping of its columns."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.composition import Gateway, partnerships
from gateway.formats.mapping import Help, Proposal, Sampled, guessed, needed_fields, propose, sampled, wanted_fields
from gateway.formats.partner_deck.cells import DayOrder
from gateway.month.importing import ImportAnswer
from gateway.staging.staged import Staged, preset_choices, staged_file
from gateway.staging.work import Work
from ledger.errors import GscError
from ledger.service import Service


@dataclass(frozen=True, slots=True)
class StagedView:
    """A file that waits: its trial, and what can be chosen."""

    staged: Staged
    work: Work[ImportAnswer] | None
    presets: Sequence[str]
    partners: Sequence[str]

    @property
    def answer(self) -> ImportAnswer | None:
        return self.work.answer if self.work else None

    @property
    def refusal(self) -> GscError | None:
        return self.work.refusal if self.work else None


@dataclass(frozen=True, slots=True)
class MappingView:
    """The columns of a file, what each is taken for, and the mapping that follows."""

    staged: Staged
    service: str
    services: Sequence[str]
    fields: Sequence[str]
    sample: Sampled
    named: Mapping[str, str]
    """Field to column, as chosen or found."""
    missing: Sequence[str]
    """Fields that need a column and have none yet."""
    dates: str
    unit: str
    proposal: Proposal | None
    refusal: GscError | None
    name: str

    def field_of(self, column: str) -> str:
        """What a column is taken for, "" for nothing."""
        return next((field for field, of in self.named.items() if of == column), "")


def staged_view(gateway: Gateway, staged_id: str, work: Work[ImportAnswer] | None) -> StagedView:
    """A file that waits. Raises NotFound."""
    staged = staged_file(gateway.settings, staged_id)
    return StagedView(staged, work, preset_choices(gateway.settings), tuple(partnerships(gateway.settings)))


def mapping_view(gateway: Gateway, staged_id: str, said: Mapping[str, str]) -> MappingView:
    """How a file's columns may be read; `said` is the form: usage, dates, unit, name and the fields of the columns.

    Raises NotFound, and Malformed for a file without named columns.
    """
    staged = staged_file(gateway.settings, staged_id)
    service = said.get("usage") if said.get("usage") in {each.word for each in Service} else Service.VOICE.word
    assert service is not None
    sample = sampled(staged.path)
    chosen = {
        field: column
        for at, column in enumerate(sample.columns)
        if (field := said.get(f"column-{at}", "")) in wanted_fields(service)
    }
    dates = said.get("dates", "") if said.get("dates") in tuple(DayOrder) else ""
    unit = said.get("unit", "") if said.get("unit") in ("s", "ms", "min") else ""
    name = said.get("name", "").strip()[:50] or suggested_name(staged.name)
    help_ = Help(tuple(chosen.items()), DayOrder(dates) if dates else None, unit or None)
    named = {**guessed(staged.path, service), **chosen}
    proposal, refusal = _proposed(staged, service, help_, name)
    return MappingView(
        staged=staged,
        service=service,
        services=[each.word for each in Service],
        fields=wanted_fields(service),
        sample=sample,
        named=dict(proposal.named) if proposal else named,
        missing=[field for field in needed_fields(service) if field not in named] if proposal is None else [],
        dates=dates,
        unit=unit,
        proposal=proposal,
        refusal=refusal,
        name=name,
    )


def suggested_name(file_name: str) -> str:
    """What a mapping for such files may be called."""
    return re.sub(r"[^a-z0-9]+", "-", file_name.partition(".")[0].lower()).strip("-")[:40] or "mapping"


def _proposed(staged: Staged, service: str, help_: Help, name: str) -> tuple[Proposal | None, GscError | None]:
    """The mapping, or why there is none yet: the page says what is missing beside the columns."""
    try:
        return propose(staged.path, service, help_, name), None
    except GscError as error:
        return None, error
