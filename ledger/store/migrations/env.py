"""What does Alembic run the migrations on? The connection that `ledger.store.migrate` hands it, nothing else."""

from alembic import context

import ledger.store.event_tables  # noqa: F401 - adds its tables to the metadata
from ledger.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
