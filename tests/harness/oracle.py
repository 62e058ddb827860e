"""The oracle: after a storm, do journal, books, hypervisors and neighbours agree? (ARCHITECTURE section 5, I1-I12)

The rules are those that operators have: ``nova_lite/audit``. Here nothing may be under way any more, and the facts are
read from where they are, so that a killed host hides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from nova_lite.audit import gather
from nova_lite.audit.table import findings
from nova_lite.audit.world import World
from nova_lite.clock import utcnow
from nova_lite.compute import survey
from nova_lite.objects import ImageMeta
from nova_lite.virt.driver import ComputeDriver
from tests.harness import network_oracle, volume_oracle
from tests.harness.networks import Networks
from tests.harness.volumes import Volumes


def violations(
    drivers: Mapping[str, ComputeDriver],
    images: Mapping[str, ImageMeta] | None = None,
    networks: Networks | None = None,
    volumes: Volumes | None = None,
    shown: Mapping[str, str] | None = None,
) -> list[str]:
    """What is wrong, once nothing moves any more: a sentence each, which begins with its invariant.

    ``drivers`` by host, ``images`` all there are by id, ``shown`` the status of each server as the API shows it to an
    administrator; of what is not given nothing is said.
    """
    return [str(finding) for finding in findings(replace(world(drivers, images, networks, volumes), shown=shown))]


def world(
    drivers: Mapping[str, ComputeDriver],
    images: Mapping[str, ImageMeta] | None = None,
    networks: Networks | None = None,
    volumes: Volumes | None = None,
) -> World:
    """The facts."""
    found = gather.database(utcnow(), strict=True)
    found = replace(found, hosts={host: tuple(survey.whole(driver)) for host, driver in drivers.items()})
    if images is not None:
        found = replace(found, images=gather.pictures(list(images.values()), found))
    if networks is not None:
        found = replace(found, ports=network_oracle.ports(networks))
    if volumes is not None:
        found = replace(found, holds=volume_oracle.holds(volumes), volumes=volume_oracle.statuses(volumes))
    return gather.named(found)
