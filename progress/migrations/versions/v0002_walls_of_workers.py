"""The walls around what a worker grades, as it describes them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Workers tell which walls stand."""
    op.add_column("workers", sa.Column("isolation", sa.JSON(), nullable=True))
