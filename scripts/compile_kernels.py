"""Which loops must be compiled before the first month is fast? Runs each once on a few records; numba keeps the result.

`python -m scripts.compile_kernels`: part of the installation, so that no command and no demo waits for a compiler.
"""

import tempfile
from pathlib import Path
from zoneinfo import ZoneInfo

from gateway.preset import load_preset
from gateway.reading import Direction, ReadingContext, Trunk, read_cdr
from ledger.deck import deck_history, parse_deck
from ledger.identity import AgreementId, CarrierCode
from ledger.money import Rounding
from ledger.period import Period
from ledger.rating import rate_in_mode
from ledger.sealing import leaf_is_in, open_leaf, salts, seal
from ledger.service import Service
from ledger.usage import BatchScope

_FILE = "a_number,b_number,start,duration_ms,trunk\n" + "+8613800138000,02079460000,2026-10-01 00:00:00,61000,in\n" * 3
_DECK = "destination,code,rate,increment,currency\nUnited Kingdom,44,0.01,60/6,USD\nLondon,4420,0.02,1/1,USD\n"


def main() -> None:
    """Read, rate and seal three calls."""
    low, high = CarrierCode("CN-T"), CarrierCode("GB-B")
    context = ReadingContext(ZoneInfo("Europe/London"), "GB", {"in": Trunk(low, Direction.IN)})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cdr.csv"
        path.write_text(_FILE, "ascii")
        (usage,) = read_cdr(path, load_preset("csv"), context).tables.values()
    rated = rate_in_mode(usage, deck_history([(0, parse_deck(_DECK))]), Rounding.HALF_EVEN).rated
    scope = BatchScope(AgreementId(bytes(32)), high, high, Service.VOICE, Period(2026, 10))
    batch = seal(rated, scope, bytes(32))
    salts(batch.secret, 0, 1)
    assert leaf_is_in(batch.root, open_leaf(batch, 0))


if __name__ == "__main__":
    main()
