"""Which hosts a database refuses, and in which words."""

from __future__ import annotations

import pytest

from nova_lite.conductor.host_identity import refusal
from nova_lite.db.api.cloud import Cloud
from nova_lite.objects import HostIdentity, Service

CLOUD = Cloud("cloud-1", 10)
KNOWN = HostIdentity("id-1", "h", "cloud-1", beats=50, mark=8)
NEW = HostIdentity("id-2", "h", "")


def _row(identity: str | None = "id-1", beats: int = 50) -> Service:
    return Service("u", "h", "b", "t", identity=identity, beats=beats)


@pytest.mark.parametrize(
    ("known", "row"),
    [
        (KNOWN, _row()), (KNOWN, _row(beats=51)),
        (NEW, None),  # a new host
        (NEW, _row(identity=None)),  # one that was there before there were identities
        (NEW, _row(identity="id-2")),  # killed before it heard the answer
        (KNOWN, None),  # its service was removed by an operator
        (KNOWN, _row(identity=None)),  # somebody let it be another machine, and it is the same
    ],
)  # fmt: skip
def test_who_may_start(known: HostIdentity, row: Service | None) -> None:
    assert refusal(known, row, CLOUD) is None


@pytest.mark.parametrize(
    ("known", "row", "cloud", "words"),
    [
        (KNOWN, None, Cloud("cloud-2", 99), "belong to cloud cloud-1, but this database is that of cloud cloud-2"),
        (KNOWN, _row(), Cloud("cloud-1", 7), "older copy"),
        (KNOWN, None, Cloud("cloud-1", 7), "older copy"),
        (KNOWN, _row(beats=49), CLOUD, "older copy"),
        (NEW, _row(), CLOUD, "has lost its state directory"),
        (KNOWN.replace(uuid="id-3"), _row(), CLOUD, "has another host's state directory"),
    ],
)
def test_who_may_not(known: HostIdentity, row: Service | None, cloud: Cloud, words: str) -> None:
    reason = refusal(known, row, cloud)
    assert reason is not None
    assert words in reason and "Nothing was touched" in reason and "doc/admin/host-identity.md" in reason
