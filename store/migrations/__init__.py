"""Alembic migrations, run by `store.schema` at start. A new one goes into versions/ and moves `store.schema.HEAD`."""
