"""Runs revisions on the connection that console.storage.upgrades hands over; there is no alembic.ini."""

from alembic import context

from console.storage.shape import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=context.config.attributes.get("metadata"),
    version_table=VERSION_TABLE,
    transactional_ddl=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
