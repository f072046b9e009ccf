"""How does a gateway live as a process? API and desk in front; follower, submitter and webhooks behind, one clean end.

Whatever kills it, nothing is lost: what was decided is in the outbox, what was read is behind the checkpoint.
"""

import contextlib
import gc
import logging
import os
import secrets
import signal
import socket
import threading
from collections.abc import Iterator

import uvicorn

from gateway.api.app import build_app
from gateway.bulk.sweeping import sweep
from gateway.composition import Gateway, SystemClock
from gateway.outbox import Submitter
from gateway.webhooks import delivering
from gateway.webhooks.delivering import deliverer_of
from ledger.errors import GscError

FOLLOW_SECONDS = 0.3
PARENT_SECONDS = 0.5
_log = logging.getLogger("gsc.serve")


class _Server(uvicorn.Server):
    """uvicorn raises a signal again once it has stopped, which would end us before our threads are joined."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def serve(gateway: Gateway, *, host: str, port: int, with_parent: bool = False) -> None:
    """Run until SIGTERM or SIGINT; with `with_parent` also until the process that started us is gone."""
    parent = os.getppid()
    sweep(gateway)
    config = uvicorn.Config(
        build_app(gateway), host=host, port=port, log_level="warning", access_log=False, lifespan="off"
    )
    keep_loaded()
    server = _Server(config)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.handle_exit(signal.SIGTERM, None))
    with _threads(gateway, server, stop, parent if with_parent else None):
        server.run()


def keep_loaded() -> None:
    """What is in memory now stays to the end: looking through all of it for garbage would hold a request up."""
    gc.collect()
    gc.freeze()


@contextlib.contextmanager
def _threads(gateway: Gateway, server: uvicorn.Server, stop: threading.Event, parent: int | None) -> Iterator[None]:
    workers = [
        threading.Thread(target=_follow, args=(gateway, stop), name="follower"),
        threading.Thread(target=submitter_of(gateway).run, args=(stop,), name="submitter"),
        threading.Thread(target=delivering.run, args=(deliverer_of(gateway), stop), name="webhooks", daemon=True),
    ]
    if parent is not None:
        workers.append(threading.Thread(target=_watch_parent, args=(parent, server, stop), name="parent", daemon=True))
    for worker in workers:
        worker.start()
    try:
        yield
    finally:
        stop.set()
        for worker in workers:
            worker.join(timeout=10)
        gateway.close()


def submitter_of(gateway: Gateway) -> Submitter:
    """The one ordered writer of this gateway's sending key."""
    holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
    return Submitter(
        gateway.engine,
        gateway.client,
        gateway.sending_key,
        SystemClock(),
        holder=holder,
        confirmations=gateway.network.confirmations,
        gas_price_wei=gateway.network.gas_price_wei,
    )


def _follow(gateway: Gateway, stop: threading.Event) -> None:
    """Keep up with the chain; one that does not answer is asked again."""
    while not stop.is_set():
        try:
            gateway.catch_up()
        except GscError as error:
            _log.warning("following the chain: %s", error)
        stop.wait(FOLLOW_SECONDS)


def _watch_parent(parent: int, server: uvicorn.Server, stop: threading.Event) -> None:
    """A demo's gateway ends with the demo, even if that was killed."""
    while not stop.wait(PARENT_SECONDS):
        if os.getppid() != parent:
            server.should_exit = True
            return
