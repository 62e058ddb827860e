#!/usr/bin/env python3
"""Pages of the server list at 1,000 and at 100,000 servers: milliseconds and statements, through the whole API.

    benchmarks/list_pages.py --servers 1000 100000

The first page and one in the middle, in short and in detail, filtered and sorted; SQLite, one caller, no network. The
cost of a page must not grow with the table, and the number of its statements not with the rows it shows.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import webob
from bench import report
from bench.report import Figure
from oslo_config import cfg
from sqlalchemy import event, insert, select

from nova_lite import conf as nova_conf
from nova_lite import policy
from nova_lite.api.middleware.noauth import NoAuth
from nova_lite.api.openstack.compute import application
from nova_lite.clock import utcnow
from nova_lite.db import migration, session
from nova_lite.db.api import instances
from nova_lite.db.models import Instance as Row
from nova_lite.db.models import Tag
from nova_lite.objects import FixedIP, Flavor, ImageMeta, Instance, Vif

PROJECT = "6f70656e737461636b20342065766572"
USER, ADMIN = f"demo:{PROJECT}", f"admin:{PROJECT}"
SIZES = (1000, 100_000)
PAGE = 100
HOSTS = 50
# One server in so many is of another kind: stopped, tagged, of another flavor, of another project.
RARE = 20


@dataclass(frozen=True)
class Case:
    """A list request. ``grows``: nothing but a look at every row can answer it, so its cost may follow the table."""

    name: str
    query: str = ""
    path: str = "/servers/detail"
    token: str = USER
    grows: bool = False


def cases(middle: str, recent: str) -> list[Case]:
    """``middle`` is the uuid of the row half-way, ``recent`` a time that few rows are newer than."""
    return [
        Case("short, first page", path="/servers"),
        Case("short, middle page", f"marker={middle}", path="/servers"),
        Case("detail, first page"),
        Case("detail, middle page", f"marker={middle}"),
        Case("detail, 1 row", "limit=1"),
        Case("all projects, middle page", f"all_tenants=1&marker={middle}", token=ADMIN),
        Case("oldest first, middle page", f"sort_dir=asc&marker={middle}"),
        Case("by name, first page", "sort_key=display_name&sort_dir=asc"),
        Case("by name, middle page", f"sort_key=display_name&sort_dir=asc&marker={middle}"),
        Case("by uuid, middle page", f"sort_key=uuid&sort_dir=asc&marker={middle}"),
        Case("by updated_at, first page", "sort_key=updated_at&sort_dir=desc"),
        Case("status=SHUTOFF, first page", "status=SHUTOFF"),
        Case("status=SHUTOFF, middle page", f"status=SHUTOFF&marker={middle}"),
        Case("flavor, first page", "flavor=2"),
        Case("host, first page", "host=host7&all_tenants=1", token=ADMIN),
        Case("tags, first page", "tags=rare"),
        Case("changes-since, first page", f"changes-since={recent}"),
        Case("name pattern that many match, first page", "name=web-.*5"),
        Case("name that one has", "name=web-00000017", grows=True),
    ]


# -- the table ----------------------------------------------------------------------------------------


def fill(number: int) -> None:
    """So many servers of one project, a second apart, in batches; every one has an address, metadata and a flavor."""
    common = Flavor(flavorid="1", name="m1.tiny", vcpus=1, memory_mb=512, root_gb=1)
    other = Flavor(flavorid="2", name="m1.small", vcpus=1, memory_mb=2048, root_gb=20)
    patterns = [_row(_instance(flavor)) for flavor in (common, other)]
    begin = utcnow() - datetime.timedelta(seconds=number)
    for first in range(0, number, 2000):
        numbers = range(first, min(first + 2000, number))
        rows = [_variant(patterns[n % RARE == 0], n, begin) for n in numbers]
        tags = [{"instance_uuid": row["uuid"], "tag": "rare"} for n, row in zip(numbers, rows, strict=True)
                if n % RARE == 0]  # fmt: skip
        with session.writer() as writing:
            writing.execute(insert(Row), rows)
            if tags:
                writing.execute(insert(Tag), tags)


def _instance(flavor: Flavor) -> Instance:
    vif = Vif(id=str(uuid.uuid4()), mac="fa:16:3e:00:00:01", network_id=str(uuid.uuid4()), label="net",
              fixed_ips=(FixedIP("10.0.0.5"),))  # fmt: skip
    image = str(uuid.uuid4())
    return Instance(
        uuid=str(uuid.uuid4()), project_id=PROJECT, user_id="demo", display_name="web", vm_state="active",
        flavor=flavor, image=ImageMeta(id=image, name="cirros"), image_ref=image, metadata={"role": "web"},
        security_groups=("default",), network_info=(vif,), host="host0", node="host0", launched_at=utcnow(),
    )  # fmt: skip


def _row(pattern: Instance) -> dict[str, Any]:
    """The row that the aggregate makes of it; only the pattern is written that way."""
    instances.insert(pattern)
    columns = [getattr(Row, attribute.key).label(attribute.key) for attribute in Row.__mapper__.column_attrs]
    with session.writer() as writing:
        row = dict(writing.execute(select(*columns).where(Row.uuid == pattern.uuid)).one()._mapping)
        writing.execute(Row.__table__.delete().where(Row.uuid == pattern.uuid))
    del row["id"]
    return row


def _variant(pattern: dict[str, Any], number: int, begin: datetime.datetime) -> dict[str, Any]:
    made = begin + datetime.timedelta(seconds=number)
    rare = number % RARE == 0
    return {
        **pattern, "uuid": uuid_of(number), "display_name": f"web-{number:08}", "created_at": made, "updated_at": made,
        "launched_at": made, "host": f"host{number % HOSTS}", "node": f"host{number % HOSTS}",
        "vm_state": "stopped" if rare else "active", "project_id": "other" if number % RARE == 1 else PROJECT,
    }  # fmt: skip


def uuid_of(number: int) -> str:
    """Of the server made as the so-manieth; in no order."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, str(number)))


def middle_of(size: int) -> str:
    """The uuid of an ordinary server half-way."""
    return uuid_of(size // 2 - size // 2 % RARE + 2)


def recently(size: int) -> str:
    """A time that fewer servers than a page has are newer than."""
    return (utcnow() - datetime.timedelta(seconds=min(size, PAGE) - 10)).strftime("%Y-%m-%dT%H:%M:%SZ")


@contextlib.contextmanager
def table(number: int) -> Iterator[None]:
    """A database with so many servers, indexes and statistics as an operator's would have them."""
    with tempfile.TemporaryDirectory() as directory:
        session.configure(f"sqlite:///{directory}/list.sqlite")
        try:
            migration.sync()
            fill(number)
            with session.writer() as writing:
                writing.connection().exec_driver_sql("ANALYZE")
            yield
        finally:
            session.dispose()


# -- measuring ----------------------------------------------------------------------------------------


class Counter:
    """Statements that reached the database."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        event.listen(session.engine(), "before_cursor_execute", self._note)

    def _note(self, connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if not statement.startswith("BEGIN"):
            self.seen.append(statement)


def ask(app: Any, case: Case) -> int:
    """Send it; how many servers came. :raises RuntimeError: it was refused."""
    query = case.query if "limit=" in case.query else f"{case.query}&limit={PAGE}".lstrip("&")
    request = webob.Request.blank(f"{case.path}?{query}", base_url="http://127.0.0.1:8774")
    request.headers.update({"X-Auth-Token": case.token, "OpenStack-API-Version": "compute 2.96"})
    answer = request.get_response(app)
    if answer.status_int != 200:
        raise RuntimeError(f"{case.name}: {answer.status_int} {answer.text[:300]}")
    return len(answer.json["servers"])


def api() -> Any:
    """The compute API over the database that is configured, without filters but for who asks."""
    conf = nova_conf.CONF
    nova_conf.register_all(conf)
    # Where the token check was loaded before, its plugin calls an option required.
    with contextlib.suppress(cfg.RequiredOptError):
        conf([], project="nova-lite", default_config_files=[], default_config_dirs=[])
    policy.init(conf)
    return NoAuth(application.build(conf))


def measure(sizes: Sequence[int], seconds: float) -> list[Figure]:
    """Median milliseconds and statements of each case at each size; ``detail`` has the rows that came."""
    figures: list[Figure] = []
    for size in sizes:
        report.progress(f"lists: making {size} servers")
        with table(size):
            app = api()
            counter = Counter()
            for case in cases(middle_of(size), recently(size)):
                figures += _measured(app, counter, case, size, seconds)
    return figures


def _measured(app: Any, counter: Counter, case: Case, size: int, seconds: float) -> list[Figure]:
    rows = ask(app, case)
    counter.seen.clear()
    ask(app, case)
    statements = len(counter.seen)
    times: list[float] = []
    costs: list[float] = []
    end = time.perf_counter() + seconds
    while len(times) < 5 or (time.perf_counter() < end and len(times) < 200):
        begin, cost = time.perf_counter(), time.process_time()
        ask(app, case)
        times.append((time.perf_counter() - begin) * 1000)
        costs.append((time.process_time() - cost) * 1000)
    detail = {
        "rows": rows, "statements": statements, "cpu_ms": statistics.median(costs), "may_grow": case.grows,
    }  # fmt: skip
    return [Figure(f"list of {size}: {case.name} ms", statistics.median(times), "ms", detail=detail)]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--servers", type=int, nargs="+", default=SIZES, help="rows of the table")
    parser.add_argument("--seconds", type=float, default=0.3, help="seconds for each request (default %(default)s)")
    parser.add_argument("--json", metavar="FILE", help="write the figures there as JSON, too; - is stdout")
    options = parser.parse_args()
    report.show(measure(options.servers, options.seconds), options.json)
    return 0


if __name__ == "__main__":
    sys.exit(report.explained(main))
