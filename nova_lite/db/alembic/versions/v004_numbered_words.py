"""What an operation's worker says is numbered: a word that arrives after later ones changes nothing."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "004"
down_revision = "003"


def upgrade() -> None:
    op.add_column("operations", sa.Column("said", sa.Integer(), server_default="0", nullable=False))
