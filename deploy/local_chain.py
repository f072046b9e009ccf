"""How do we run a chain on this machine? A subprocess that keeps its state when killed and ends when we do."""

import contextlib
import fcntl
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from deploy import watchdog
from deploy.engines import ANVIL_STATE, GANACHE_STATE, ChainOptions, Engine, command, funded_keys
from ledger.chain.rpc import Rpc
from ledger.errors import Malformed, Unavailable

START_SECONDS = 120.0
LOCK_SECONDS = 30.0
_PATIENCE_SECONDS = 0.05


class LocalChain:
    """One local chain: `with LocalChain() as chain: ...`, or start() and stop().

    With a `state_dir` its blocks outlive kill -9 (ganache: all of them; anvil: all but those of the last seconds) and
    a later LocalChain over the same folder goes on from the last block. Loopback only; for tests and demonstrations.
    """

    def __init__(
        self,
        engine: Engine = Engine.GANACHE,
        *,
        state_dir: Path | None = None,
        port: int | None = None,
        start_at: int | None = None,
        block_gas_limit: int = 500_000_000,
        chain_id: int = 1337,
    ) -> None:
        """`start_at` is the first block's time, unix seconds (now if None); a chain that goes on keeps its own time."""
        self.engine = engine
        self.chain_id = chain_id
        self._state_dir = state_dir
        self._wanted_port = port
        self._start_at = start_at
        self._block_gas_limit = block_gas_limit
        self._port = 0
        self._guard: subprocess.Popen[bytes] | None = None
        self._engine_pid = 0
        self._rpc: Rpc | None = None
        self._closing = contextlib.ExitStack()

    # LIFE

    def start(self) -> Self:
        """Start the engine and wait until it answers eth_chainId. Raises Unavailable."""
        if self._guard is not None:
            return self
        with contextlib.ExitStack() as undo:
            undo.callback(self.stop)
            folder = self._folder()
            resumed = self._state_dir is not None and _has_blocks(self.engine, folder)
            lock = _lock(folder)
            try:
                self._spawn(folder, lock)
            finally:
                lock.close()  # the guard holds its copy until the engine has ended
            self._await_answer(folder)
            if resumed:
                self._resume_clock()
            undo.pop_all()
        return self

    def stop(self) -> None:
        """End the engine and wait for it. Harmless if it is not running."""
        if self._rpc is not None:
            self._rpc.close()
        guard, self._guard, self._rpc = self._guard, None, None
        if guard is not None:
            assert guard.stdin is not None and guard.stdout is not None
            guard.stdin.close()
            guard.wait()
            guard.stdout.close()
        self._closing.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # FACTS

    @property
    def url(self) -> str:
        """Where it answers JSON-RPC."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def engine_pid(self) -> int:
        """Process id of the engine itself."""
        return self._engine_pid

    @property
    def funded_keys(self) -> Sequence[bytes]:
        """Sixteen private keys with a balance, the same every time.

        Warning: everybody knows them."""
        return funded_keys()

    @property
    def rpc(self) -> Rpc:
        """A connection to it. Raises Unavailable if it is not running."""
        if self._rpc is None:
            raise Unavailable("the local chain is not running", todo="Start it first.")
        return self._rpc

    def now(self) -> int:
        """Time of the latest block, unix seconds: what a call sees."""
        return int(self.rpc.call("eth_getBlockByNumber", "latest", False)["timestamp"], 16)

    def height(self) -> int:
        """Number of the latest block."""
        return int(self.rpc.call("eth_blockNumber"), 16)

    # ORDERS

    def mine(self, count: int = 1) -> None:
        """Mine blocks, empty or with what waits."""
        if self.engine is Engine.GANACHE:
            self.rpc.call("evm_mine", {"blocks": count})
        else:
            self.rpc.call("anvil_mine", hex(count))

    def advance_to(self, unix_seconds: int) -> None:
        """Move the chain's clock forward and mine a block at that time, so that calls and later blocks see it.

        Does nothing if the latest block is of that time; raises Malformed if it is later: time does not go back.
        """
        now = self.now()
        if unix_seconds < now:
            raise Malformed("the chain's time goes forward only", expected=f"{now} or later", got=unix_seconds)
        if unix_seconds > now:
            self._set_clock(unix_seconds)

    def snapshot(self) -> str:
        """Remember the chain's state; `revert` goes back to it once."""
        return str(self.rpc.call("evm_snapshot"))

    def revert(self, snapshot: str) -> None:
        """Go back to a snapshot: blocks, state and time. Raises Malformed if there is no such snapshot."""
        if self.rpc.call("evm_revert", snapshot) is not True:
            raise Malformed("no such snapshot", got=snapshot, todo="A snapshot can be reverted to once.")

    # INSIDE

    def _folder(self) -> Path:
        if self._state_dir is None:
            return Path(self._closing.enter_context(tempfile.TemporaryDirectory(prefix="gsc-chain-")))
        self._state_dir.mkdir(parents=True, exist_ok=True)
        return self._state_dir.resolve()

    def _spawn(self, folder: Path, lock: BinaryIO) -> None:
        self._port = _free_port() if self._wanted_port is None else _claim(self._wanted_port)
        kept = folder if self._state_dir is not None else None
        options = ChainOptions(self._port, self.chain_id, self._block_gas_limit, kept, self._start_at)
        engine_command = command(self.engine, options)
        state = folder / ANVIL_STATE if kept and self.engine is Engine.ANVIL else None
        if state is not None:
            _mend(state)
        self._guard = subprocess.Popen(
            [
                sys.executable,
                "-I",
                "-S",
                watchdog.__file__,
                str(state or "-"),
                str(folder / "engine.log"),
                *engine_command,
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[lock.fileno()],
            start_new_session=True,
            cwd=folder,
        )
        assert self._guard.stdout is not None
        self._engine_pid = int(self._guard.stdout.readline() or b"0")
        self._rpc = Rpc(self.url)

    def _await_answer(self, folder: Path) -> None:
        assert self._guard is not None
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._guard.poll() is not None:
                raise _failed(self.engine, "ended at once", folder)
            with contextlib.suppress(Unavailable):
                got = int(self.rpc.call("eth_chainId"), 16)
                if got != self.chain_id:
                    raise Malformed("another chain answers on this port", expected=self.chain_id, got=got)
                return
            time.sleep(_PATIENCE_SECONDS)
        raise _failed(self.engine, f"did not answer within {START_SECONDS:.0f} seconds", folder)

    def _resume_clock(self) -> None:
        """Go on from the last block: an engine that restarts would take its clock from the machine's."""
        self._set_clock(self.now() + 1)

    def _set_clock(self, unix_seconds: int) -> None:
        self.rpc.call("evm_setTime", unix_seconds * 1000)
        if self.engine is Engine.GANACHE:
            self.rpc.call("evm_mine", unix_seconds)
        else:
            self.rpc.call("evm_setNextBlockTimestamp", unix_seconds)
            self.rpc.call("evm_mine")


def _has_blocks(engine: Engine, folder: Path) -> bool:
    return (folder / (GANACHE_STATE if engine is Engine.GANACHE else ANVIL_STATE)).exists()


def _mend(state: Path) -> None:
    """Put the last whole state in the place of one that a kill left half written. Raises Unavailable."""
    if not state.exists() or watchdog.whole(state) is not None:
        return
    kept = watchdog.kept_copy(state)
    if watchdog.whole(kept) is None:
        raise Unavailable(f"{state.name} is half written, and no earlier one is kept", todo="Remove the folder.")
    kept.replace(state)


def _lock(folder: Path) -> BinaryIO:
    """Take the folder for one chain; waits while an earlier one is still ending. Raises Unavailable."""
    opened = (folder / "lock").open("ab")
    taken = _until(lambda: _try_lock(opened), LOCK_SECONDS)
    if not taken:
        opened.close()
        raise Unavailable(
            "another chain runs over this folder", got=folder.name, todo="Stop it, or use another folder."
        )
    return opened


def _try_lock(opened: BinaryIO) -> bool:
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _claim(port: int) -> int:
    """The port, if nobody listens there. Raises Unavailable."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as taken:
            raise Unavailable(
                f"port {port} is in use", expected="a free port", got=taken.strerror, todo="Name another, or none."
            ) from None
    return port


def _until(done: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(_PATIENCE_SECONDS)
    return True


def _failed(engine: Engine, what: str, folder: Path) -> Unavailable:
    log = folder / "engine.log"
    lines = log.read_text(errors="replace").strip().splitlines()[-5:] if log.exists() else []
    return Unavailable(f"{engine} {what}", got=" | ".join(lines) or "no word", todo="Try again, or the other engine.")
