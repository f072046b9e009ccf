"""How does a store that an older gsc wrote become one that this gsc reads?"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(connection: Connection) -> None:
    """Apply the migrations that are missing, in the caller's transaction."""
    if current_version(connection) != latest_version():
        command.upgrade(_config(connection), "head")


def current_version(connection: Connection) -> str | None:
    """The last migration this store has seen, None for an empty one."""
    return MigrationContext.configure(connection).get_current_revision()


def latest_version() -> str | None:
    """The last migration this gsc knows."""
    return ScriptDirectory(str(MIGRATIONS)).get_current_head()


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
