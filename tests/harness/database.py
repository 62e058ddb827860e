"""A database for tests: SQLite in memory, or the one that NOVA_LITE_TEST_DB_URL names, emptied for each test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Select, Table, event
from sqlalchemy.dialects import postgresql

from nova_lite.db import session
from nova_lite.db.models import Base
from nova_lite.objects import BlockDevice, FixedIP, ImageMeta, Instance, Vif
from tests.harness.builders import make_flavor, uuid_of

URL_VARIABLE = "NOVA_LITE_TEST_DB_URL"


@contextmanager
def fresh_database(url: str | None = None) -> Iterator[None]:
    """All tables, no rows; session is configured for it inside and for nothing after."""
    session.configure(url or os.environ.get(URL_VARIABLE) or "sqlite://")
    Base.metadata.create_all(session.engine())
    with session.writer() as writing:
        for table in reversed(Base.metadata.sorted_tables):
            writing.execute(table.delete())
    try:
        yield
    finally:
        session.dispose()


@contextmanager
def statements() -> Iterator[list[str]]:
    """The SQL that reaches the database inside, but for the begin and end of transactions."""
    seen: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith(("BEGIN", "SET ")):
            seen.append(statement)

    engine = session.engine()
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


@contextmanager
def locked_reads() -> Iterator[list[tuple[str, str]]]:
    """What is read FOR UPDATE inside: each table, and the statement as PostgreSQL hears it."""
    seen: list[tuple[str, str]] = []

    def note(_conn: Any, statement: Any, *_rest: Any) -> None:
        if isinstance(statement, Select) and statement._for_update_arg is not None:
            text = str(statement.compile(dialect=postgresql.dialect()))
            seen.extend((table.name, text) for table in statement.get_final_froms() if isinstance(table, Table))

    engine = session.engine()
    event.listen(engine, "before_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_execute", note)


def make_instance(name: str = "vm", **values: Any) -> Instance:
    """An active server of project ``project`` with an interface, a disk, tags and metadata."""
    address = values.pop("address", "10.0.0.5")
    defaults: dict[str, Any] = {
        "uuid": uuid_of(f"instance {name}"),
        "project_id": "project",
        "user_id": "user",
        "display_name": name,
        "vm_state": "active",
        "flavor": make_flavor("m1.small", extra_specs={"a": "b"}),
        "image": ImageMeta(id=uuid_of("image"), name="cirros", properties={"os": "x"}),
        "image_ref": uuid_of("image"),
        "metadata": {"role": "web"},
        "tags": ("blue", "small"),
        "security_groups": ("default",),
        "network_info": (
            Vif(
                id=uuid_of(f"port {name}"), mac="fa:16:3e:00:00:01", network_id=uuid_of("net"), label="net",
                fixed_ips=(FixedIP(address), FixedIP("fd00::5", version=6)),
            ),
        ),
        "block_devices": (BlockDevice("image", "local", boot_index=0),),
    }  # fmt: skip
    return Instance(**{**defaults, **values})
