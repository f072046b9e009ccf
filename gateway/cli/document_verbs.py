"""Which commands make files for people, bookkeeping and banks, and read what a bank says back?"""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.parts import DryRun, Home, Json, MaybePartner, MonthOption, Partner, code_of, end, home_of, maybe_code

if TYPE_CHECKING:
    from gateway.documents.bank.confirming import BankAnswer
    from gateway.documents.document import Document

Out = Annotated[Path | None, typer.Option("--out", help="The file, or a folder for it", show_default="this folder")]
Language = Annotated[str, typer.Option("--lang", help="en or zh")]

documents = typer.Typer(
    name="document", no_args_is_help=True, help="Statement, invoice, payment order, bundle: as files."
)


def register(app: typer.Typer) -> None:
    """Add these commands, in their order."""
    documents.command("statement")(statement)
    documents.command("findings")(findings)
    documents.command("records")(records)
    documents.command("invoice")(invoice)
    documents.command("order")(order)
    documents.command("bundle")(bundle)
    app.add_typer(documents)
    app.command("bank")(bank)


def statement(
    partner: Partner,
    period: MonthOption,
    out: Out = None,
    format_: Annotated[str, typer.Option("--format", help="pdf, csv, xlsx, parquet or json")] = "pdf",
    lang: Language = "en",
    home: Home = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """The month's statement: both sides, causes, disputes, what both signed and its hash."""
    from gateway.documents.making import statement_document
    from ledger.period import parse_period

    with closing(home_of(home)) as gateway:
        made = statement_document(gateway, code_of(partner), parse_period(period), format_, lang)
    path = _kept(made, out, dry_run)
    after = f"gsc verify {path}" if format_ == "pdf" else f"gsc document bundle --partner {partner} --period {period}"
    _end(made, path, dry_run, json, after)


def findings(
    partner: Partner,
    period: MonthOption,
    out: Out = None,
    format_: Annotated[str, typer.Option("--format", help="csv, xlsx, parquet or json")] = "csv",
    home: Home = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Every finding of the month as a table."""
    from gateway.documents.making import findings_document
    from ledger.period import parse_period

    with closing(home_of(home)) as gateway:
        made = findings_document(gateway, code_of(partner), parse_period(period), format_)
    after = f"gsc document records --partner {partner} --period {period}"
    _end(made, _kept(made, out, dry_run), dry_run, json, after)


def records(
    partner: Partner,
    period: MonthOption,
    out: Out = None,
    format_: Annotated[str, typer.Option("--format", help="csv, xlsx, parquet or json")] = "parquet",
    home: Home = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Every sealed record of both sides that we hold, with the batch and leaf it is under; as long as it may be."""
    from gateway.cli.pure_verbs import refused_unless_writable
    from gateway.documents.making import records_stream
    from ledger.period import parse_period

    written = 0
    with closing(home_of(home)) as gateway:
        streamed = records_stream(gateway, code_of(partner), parse_period(period), format_)
        path = _path_of(streamed.name, out)
        if not dry_run:
            with refused_unless_writable(path), path.open("wb") as file:
                for piece in streamed.pieces:
                    written += file.write(piece)
    lines = [f"{path}: {'would be written' if dry_run else f'{written:,} bytes'}"]
    answer = {"file": str(path), "bytes": written, "mediaType": streamed.media_type, "dryRun": dry_run}
    end(answer, json, lines, f"gsc document bundle --partner {partner} --period {period}")


def invoice(
    partner: Partner,
    period: MonthOption,
    out: Out = None,
    creditor: Annotated[str | None, typer.Option("--creditor", help="Whose invoice", show_default="ours")] = None,
    home: Home = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """What both agreed of a month as an invoice in UBL 2.1."""
    from gateway.documents.invoice import invoice as made_invoice
    from ledger.period import parse_period

    with closing(home_of(home)) as gateway:
        made = made_invoice(gateway, code_of(partner), parse_period(period), maybe_code(creditor))
    _end(made, _kept(made, out, dry_run), dry_run, json, "gsc net, then gsc document order")


def order(
    partner: MaybePartner = None,
    out: Out = None,
    version: Annotated[
        str, typer.Option("--as", help="pain.001.001.09 or pain.001.001.03, as the bank reads it")
    ] = "pain.001.001.09",
    home: Home = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Everything we owe now, interest included, as a payment order for the bank (ISO 20022 pain.001)."""
    from gateway.documents.making import order_document

    with closing(home_of(home)) as gateway:
        made = order_document(gateway, maybe_code(partner), version)
    after = "hand it to the bank; the creditor's gsc bank FILE confirms what arrived"
    _end(made, _kept(made, out, dry_run), dry_run, json, after)


def bundle(
    partner: MaybePartner = None,
    period: Annotated[str | None, typer.Option("--period", help="Accounting month: 2026-10")] = None,
    dispute_id: Annotated[str | None, typer.Option("--dispute", help="A dispute's id, instead of a month")] = None,
    out: Out = None,
    home: Home = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """A month or a dispute as a bundle that a stranger verifies offline: records, proofs, signatures, receipts."""
    from gateway.cli.parts import id_of
    from gateway.cli.pure_verbs import told_missing
    from gateway.documents.making import dispute_document, month_document
    from ledger.period import parse_period

    if dispute_id is None and (partner is None or period is None):
        raise told_missing("document bundle", "--dispute; or --partner and --period")
    with closing(home_of(home)) as gateway:
        if dispute_id is not None:
            made = dispute_document(gateway, id_of(dispute_id))
        else:
            made = month_document(gateway, code_of(partner or ""), parse_period(period or ""))
    path = _kept(made, out, dry_run)
    _end(made, path, dry_run, json, f"gsc verify {path}")


def bank(
    file: Annotated[Path, typer.Argument(help="The bank's file: camt.053 or camt.054", exists=True, dir_okay=False)],
    home: Home = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Confirm what arrived at the bank for our payables; tell what did not match."""
    from gateway.documents.bank.confirming import confirm_from_bank

    with closing(home_of(home)) as gateway:
        answer = confirm_from_bank(gateway, file, dry_run=dry_run)
    headings = ["booking", "amount", "from", "payable", "what", "confirmed", "left"]
    again = f"gsc bank {file}" if dry_run and answer.confirmed else "gsc age"
    end(answer, json, _told(answer), again, headings, _booking_rows(answer))


def _booking_rows(answer: "BankAnswer") -> list[list[object]]:
    return [
        [
            each.line,
            str(each.amount),
            each.debtor or each.payer or "",
            f"0x{each.payable_id.hex()[:12]}…" if each.payable_id else "",
            each.what,
            str(each.confirmed) if each.confirmed.micros else "",
            str(each.left) if each.payable_id else "",
        ]
        for each in answer.bookings
    ]


def _told(answer: "BankAnswer") -> list[str]:
    from gateway.documents.bank.confirming import total_confirmed
    from ledger.money import show_micros

    sums = [f"{unit} {show_micros(micros, 2)}" for unit, micros in sorted(total_confirmed(answer).items())]
    word = "would be confirmed" if answer.dry_run else "confirmed"
    told = f"{len(answer.bookings)} booking(s), {len(answer.confirmed)} {word}: {', '.join(sums) or 'nothing'}"
    return [told, *answer.notes]


def _path_of(name: str, out: Path | None) -> Path:
    return Path(name) if out is None else out / name if out.is_dir() else out


def _kept(made: "Document", out: Path | None, dry_run: bool) -> Path:
    """Write the document where it was wanted, unless nothing is to be written. Raises Malformed."""
    from gateway.cli.pure_verbs import refused_unless_writable

    path = _path_of(made.name, out)
    if not dry_run:
        with refused_unless_writable(path):
            path.write_bytes(made.content)
    return path


def _end(made: "Document", path: Path, dry_run: bool, json: bool, after: str) -> None:
    from hashlib import sha256

    digest = sha256(made.content).hexdigest()
    told = f"{path}: {len(made.content):,} bytes, SHA-256 {digest}"
    answer = {
        "file": str(path),
        "bytes": len(made.content),
        "mediaType": made.media_type,
        "sha256": digest,
        "dryRun": dry_run,
    }
    again = "the same without --dry-run, which writes it"
    end(answer, json, [f"{told} (not written)" if dry_run else told], again if dry_run else after)
