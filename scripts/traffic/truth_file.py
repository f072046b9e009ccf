"""How is the truth written down for people and other programs? truth.json."""

import json
from collections.abc import Mapping
from pathlib import Path

from ledger.identity import CarrierCode
from scripts.traffic.switches import SwitchFile
from scripts.traffic.truth import DirectionTruth, Plant, SideTotal, Truth


def write_truth(path: Path, seed: int, truth: Truth, switches: Mapping[CarrierCode, SwitchFile]) -> None:
    """Write totals, planted faults and each file's bad lines; money as strings of micros."""
    document = {
        "seed": seed,
        "month": str(truth.month),
        "directions": [_direction(d) for d in truth.directions],
        "tromboned_calls": truth.tromboned_calls,
        "files": {code: _file(file) for code, file in switches.items()},
    }
    path.write_text(json.dumps(document, indent=1) + "\n", "utf-8")


def _direction(direction: DirectionTruth) -> dict[str, object]:
    return {
        "debtor": direction.debtor,
        "creditor": direction.creditor,
        "debtor_total": _total(direction.debtor_total),
        "creditor_total": _total(direction.creditor_total),
        "rate_effect_micros": str(direction.rate_effect_micros),
        "planted": [_plant(p) for p in direction.plants],
    }


def _total(total: SideTotal) -> dict[str, object]:
    return {
        "count": total.count,
        "quantity_ms": str(total.quantity_ms),
        "amount_micros": str(total.amount_micros),
    }


def _plant(plant: Plant) -> dict[str, object]:
    return {
        "planted": plant.planted,
        "count": plant.count,
        "debtor_micros": str(plant.debtor_micros),
        "creditor_micros": str(plant.creditor_micros),
        "debtor_route": plant.debtor_route,
        "creditor_route": plant.creditor_route,
        "destination": plant.destination,
        "days": [plant.first_day.isoformat(), plant.last_day.isoformat()],
    }


def _file(file: SwitchFile) -> dict[str, object]:
    return {
        "path": file.path.name,
        "lines": len(file.lines) + len(file.malformed),
        "answered": int((file.rows.duration_s > 0).sum()),
        "not_answered": int((file.rows.duration_s == 0).sum()),
        "repeats": list(file.repeats),
        "malformed": [{"line": line, "what": what} for line, what in file.malformed],
    }
