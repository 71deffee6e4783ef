"""Who did what: models, store, checklist states and reports over SQLite or PostgreSQL."""
