"""How does a home folder begin? Folders, settings and the operator's token; what is secret only its owner reads."""

import os
import secrets
from pathlib import Path

from gateway.settings.shapes import SETTINGS_FILE, Settings
from gateway.settings.writing import dump_settings
from ledger.errors import Conflict


def init_home(settings: Settings) -> Path:
    """Write a new home folder; the same settings again change nothing, other ones raise Conflict."""
    path = settings.home / SETTINGS_FILE
    text = dump_settings(settings)
    if path.exists() and path.read_text("utf-8") != text:
        raise Conflict(
            f"the home folder already has another {SETTINGS_FILE}",
            got=str(path),
            todo="Edit that file, or choose another --home.",
        )
    folders = (settings.home, settings.keys_path, settings.inbox_path, settings.work_path)
    for folder in (*folders, settings.archive_path, settings.agreements_path, settings.decks_path):
        folder.mkdir(parents=True, exist_ok=True)
    for folder in (settings.keys_path, settings.inbox_path, settings.work_path, settings.archive_path):
        folder.chmod(0o700)
    if not path.exists():
        write_atomically(path, text.encode("utf-8"))
    operator_token(settings)
    return path


def operator_token(settings: Settings) -> str:
    """The desk's bearer token, made on first use; only its owner may read the file."""
    path = settings.token_path
    if not path.exists():
        write_atomically(path, secrets.token_urlsafe(32).encode("ascii"), mode=0o600)
    return path.read_text("ascii").strip()


def write_atomically(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write a file so that a reader, or a crash, sees the old or the new content, never a part."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    partial.chmod(mode)
    partial.replace(path)
