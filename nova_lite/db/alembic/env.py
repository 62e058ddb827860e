"""Alembic's entry: runs on the connection that :mod:`nova_lite.db.migration` hands over; there is no ini file."""

from alembic import context

from nova_lite.db.models import Base

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
