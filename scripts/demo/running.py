"""From options to a settled month: what runs, in which order, and how does it end?"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from deploy.engines import Engine
from gateway.client import Client
from scripts.demo import before, comparing, counting, settling
from scripts.demo.expecting import expect
from scripts.demo.house import build_house, hand_out_papers, start_chain, start_gateways
from scripts.demo.processes import Folder
from scripts.demo.stage import Stage
from scripts.demo.telling import Telling
from scripts.traffic import Simulation, SimulationFiles, simulate, write

STEPS: Sequence[Callable[[Stage], None]] = (
    before.agree,
    counting.import_files,
    counting.rate_usage,
    counting.seal_batches,
    counting.declare_batches,
    counting.close_month,
    comparing.reveal_records,
    comparing.reconcile_books,
    comparing.find_bypass,
    settling.open_disputes,
    settling.accept_statements,
    settling.net_items,
    settling.pay_some,
    settling.age_arrears,
)


@dataclass(frozen=True, slots=True)
class Options:
    """What the demonstration was asked for."""

    seed: int
    calls: int
    engine: Engine
    home: Path
    port: int | None
    screenshot: Path | None = None


@contextlib.contextmanager
def prepared(options: Options, telling: Telling) -> Iterator[Stage]:
    """The stage with everything running; all of it ends with the block."""
    with contextlib.ExitStack() as ending:
        folder = ending.enter_context(Folder(options.home))
        with telling.step(
            "prepare", f"traffic of October, a {options.engine} chain, contracts, three gateways"
        ) as step:
            with ThreadPoolExecutor(1) as pool:
                traffic = pool.submit(_make_traffic, options, folder.path / "traffic")
                chain = start_chain(folder, options.engine)
                ending.callback(chain.stop)
                house = build_house(folder, chain, options.port)
                simulation, files = traffic.result()
            hand_out_papers(house, files)
            start_gateways(folder, house)
            desks = {code: ending.enter_context(Client.of_home(each.home)) for code, each in house.homes.items()}
            stage = Stage(telling, house, files, expect(simulation), desks)
            calls = sum(int((file.rows.duration_s > 0).sum()) for file in files.switches.values())
            telling.say(f"seed {options.seed}: {calls:,} answered calls in three raw files, with planted faults")
            telling.say(f"chain {house.network.chain_id} at {chain.url}, six contracts that nobody owns")
            for home in house.homes.values():
                telling.say(f"{home.code} at {home.url}, its key {home.signing}")
            step.facts |= {"chain_id": house.network.chain_id, "calls": calls}
        yield stage


def _make_traffic(options: Options, folder: Path) -> tuple[Simulation, SimulationFiles]:
    simulation = simulate(options.seed, options.calls)
    return simulation, write(simulation, folder)
