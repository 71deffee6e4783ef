"""The steps from one version of the tables to the next (Alembic). A step, once released, is never edited."""
