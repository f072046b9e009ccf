"""Which batches travel whole inside their declaration? Small ones, on request, with keyed hashes for numbers.

Such a batch is sealed anew: everybody reads its leaves, so they hold no number and need no salt. The archive keeps the
records themselves, and the counterparty gets them after both closes as it does all others.
"""

import secrets
from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import Connection

from gateway.composition import Gateway
from ledger import archive
from ledger.archive import archive_name
from ledger.chain.bindings import Declaration, calldata_usage_ledger_declare_inline
from ledger.errors import Malformed
from ledger.inline import pack_records
from ledger.sealing import MOST_INLINE, inline_leaves, seal
from ledger.store.batches import SealedBatch, replace_batch

GAS = 450_000
GAS_EACH = 6_000
"""Of a record: twice what it takes."""


def is_inline(gateway: Gateway, batch: SealedBatch) -> bool:
    """Whether a batch of ours was sealed for an inline declaration."""
    path = gateway.settings.archive_path / archive_name(batch.root)
    return path.exists() and archive.is_inline(path)


def sealed_inline(
    gateway: Gateway,
    connection: Connection,
    batch: SealedBatch,
    *,
    dry_run: bool,
    randomness: Callable[[int], bytes] = secrets.token_bytes,
) -> SealedBatch:
    """The batch, sealed anew for an inline declaration, in the caller's transaction; as it is if it was before, or if
    it is a correction, which the contract takes committed only. Raises Malformed for one that does not fit.
    """
    if batch.corrects is not None or is_inline(gateway, batch):
        return batch
    if batch.count > MOST_INLINE:
        raise Malformed(
            f"the batch of {batch.scope.period} owed to {batch.scope.creditor} is too large for an inline declaration",
            expected=f"at most {MOST_INLINE} records",
            got=batch.count,
            todo="Declare it without --inline, or import in smaller parts: `gsc import --batch-days 1`.",
        )
    held = archive.read_by_root(gateway.settings.archive_path, batch.root)
    made = seal(held.table, held.scope, randomness(32), inline=True)
    pack_records(inline_leaves(made), made.from_ms)  # raises for a value that its bytes do not hold
    if dry_run:
        return batch
    path = archive.write(made, gateway.settings.archive_path)
    anew = replace(batch, root=made.root, archive_path=path.name)
    replace_batch(connection, batch.root, anew)
    return anew


def inline_calldata(gateway: Gateway, declaration: Declaration, batch: SealedBatch, signature: bytes) -> bytes:
    """The call that carries the declaration and its records."""
    sealed = archive.read_by_root(gateway.settings.archive_path, batch.root)
    packed = pack_records(inline_leaves(sealed), batch.from_ms)
    return calldata_usage_ledger_declare_inline(declaration, packed.routes, packed.records, signature)


def gas_of(batch: SealedBatch) -> int:
    """Fixed limit of an inline declaration."""
    return GAS + GAS_EACH * batch.count
