"""What services do by themselves: how the sweeper, a chore or a starting host gets something to do."""

from __future__ import annotations

import contextlib
import datetime
import threading
import uuid
from collections.abc import Callable
from typing import Any

from nova_lite.db import clock, session
from nova_lite.db.api import allocations, compute_nodes, operations, provisional_images, provisional_volumes, services
from nova_lite.db.api.operation_rows import TABLE as OPERATIONS
from nova_lite.db.models import ProvisionalVolume
from nova_lite.liveness import COMPUTE
from tests.harness.cloud import ADMIN, CONF, CTXT, Answer, Cloud, until
from tests.harness.failpoints import preparations as of
from tests.harness.failpoints.breaker import Killed
from tests.harness.failpoints.preparations import Prepare

VOLUMES = ProvisionalVolume.__table__
# What an act answers that is no request.
DONE = Answer(202, {}, b"")
# Starts of a host that may fail before it counts as one that never comes back.
STARTS = 5


def option(name: str, value: int, status: str | None) -> Callable[[Cloud, str], Answer]:
    """From now on a chore finds something to do; by and by the server is so (None: gone)."""

    def act(cloud: Cloud, server: str) -> Answer:
        CONF.set_override(name, value)

        def there() -> bool:
            shown = cloud.show(server)
            return (shown and shown["status"]) == status

        until(there, 20, lambda: f"it is not {status}: {cloud.show(server)}")
        return DONE

    return act


# -- the sweeper ----------------------------------------------------------------------------------


def dying(call: str, first: Callable[[Cloud], str], request: Callable[[Cloud, str], Any]) -> Prepare:
    """A server whose host dies in the middle of a call; nobody has noticed yet."""

    def prepare(cloud: Cloud) -> str:
        server = under_way(call, first, request)(cloud)
        home = next(name for name, driver in cloud.drivers.items() if (call, server) in driver.plan.calls)
        cloud.kill(home)
        cloud.drivers.pop(home)
        return server

    return prepare


def under_way(call: str, first: Callable[[Cloud], str], request: Callable[[Cloud, str], Any]) -> Prepare:
    """A server whose host does the call just now, and will for a while."""

    def prepare(cloud: Cloud) -> str:
        subject = first(cloud)
        for driver in cloud.drivers.values():
            driver.plan.delay(call, 1.0)
            driver.plan.calls.clear()
        answer = request(cloud, subject)
        assert answer.status < 300, answer.body
        server = str(subject or answer.json["server"]["id"])
        of.began(cloud, call, server)
        return server

    return prepare


def notice_the_dead(cloud: Cloud, server: str) -> Answer:
    """An operator says which hosts are dead: all that are not served any more."""
    answer = DONE
    for service in services.list(COMPUTE):
        if service.host not in cloud.services:
            answer = cloud.request("PUT", f"/os-services/{service.uuid}", {"forced_down": True}, token=ADMIN)
    return answer


def deadline_passes(cloud: Cloud, server: str) -> Answer:
    """The deadline of whatever is being done to the server has passed."""
    past = clock.now() - datetime.timedelta(seconds=60)
    numbers = [operation.id for operation in operations.open_for_instance(server)]
    with session.writer() as transaction:
        transaction.execute(OPERATIONS.update().where(OPERATIONS.c.id.in_(numbers)).values(deadline=past))
    return DONE


# -- chores ---------------------------------------------------------------------------------------


def leftover_volume(cloud: Cloud) -> str:
    """A server, and a volume that was reserved for it by an API that died before it accepted anything."""
    server, volume = of.booted(cloud), cloud.volumes.make(CTXT)
    provisional_volumes.promise([server], 3600, volume)
    cloud.volumes.attachment_create(CTXT, volume, server)
    return server


def forget_requests(cloud: Cloud, server: str) -> Answer:
    """No request of which something is left will be accepted any more."""
    with session.writer() as transaction:
        transaction.execute(VOLUMES.update().values(doomed=True))
    for image in provisional_images.list_all():
        provisional_images.discard(image.image_id, image.instance_uuid)
    return DONE


def leftover_image(cloud: Cloud) -> str:
    """A server, and an image that was begun for it by an API that died before it accepted anything."""
    server, image = of.booted(cloud), str(uuid.uuid4())
    provisional_images.promise(image, server, 3600)
    cloud.images.create(CTXT, image, "snap", {})
    return server


def orphaned_claim(cloud: Cloud) -> str:
    """A claim of a server that was never there."""
    node = compute_nodes.on_host("host1")[0]
    assert allocations.claim(node.uuid, str(uuid.uuid4()), 1, 64, 0)
    return ""


def nothing(cloud: Cloud, server: str) -> Answer:
    """Its time comes by itself."""
    return DONE


# -- a host that starts ---------------------------------------------------------------------------


def evacuated(cloud: Cloud) -> str:
    """A server that was built elsewhere while its host was dead; that one still has guest and disks, and is down."""
    server = of.bereft(of.with_a_volume(of.booted))(cloud)
    assert cloud.act(server, "evacuate", {}, token=ADMIN).status == 200
    cloud.wait(server, "SHUTOFF", 30)
    cloud.wait_quiet(30)
    return server


def deleted_meanwhile(cloud: Cloud) -> str:
    """A server that was deleted while its host was dead; that one still has all of it, and is down."""
    server = of.bereft(of.booted)(cloud)
    assert cloud.delete(f"/servers/{server}").status == 204
    cloud.wait_gone(server, 30)
    cloud.wait_quiet(30)
    return server


def _start(cloud: Cloud, host: str) -> None:
    """May be killed at its start, which is then tried again."""
    with contextlib.suppress(Killed):
        cloud.revive(host)


def come_back(cloud: Cloud, server: str) -> Answer:
    """Hosts that are down start again, and again when they do not come up, as systemd would have it."""
    missing = sorted({service.host for service in services.list(COMPUTE)} - set(cloud.services))
    for host in missing:
        starts: list[threading.Thread] = []

        def is_up(host: str = host, starts: list[threading.Thread] = starts) -> bool:
            if host in cloud.services:
                return True
            if not starts or not starts[-1].is_alive():
                assert len(starts) < STARTS, f"{host} does not come up"
                starts.append(threading.Thread(target=_start, args=(cloud, host), daemon=True))
                starts[-1].start()
            return False

        until(is_up, 30, lambda host=host: f"{host} does not come up", 0.05)  # type: ignore[misc]
    return DONE
