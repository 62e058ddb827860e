"""Old and new daemons side by side: who may serve, and in which words those are spoken to who are not upgraded yet."""

from __future__ import annotations

import logging

from oslo_config import cfg

from nova_lite import clock, exception, liveness, versions
from nova_lite.db.api import services
from nova_lite.objects import Service

LOG = logging.getLogger(__name__)

AUTO = "auto"
# How long what the rows said of a topic's daemons is taken for true (seconds).
PIN_AGE_S = 30.0


def check(down_s: float) -> None:
    """May this daemon serve beside those that live? :raises IncompatibleVersion: not, and who must be upgraded."""
    for service in services.list():
        if liveness.is_up(service, down_s):
            admit(service)


def admit(service: Service) -> None:
    """:raises IncompatibleVersion: this code and that daemon's cannot serve side by side."""
    why = versions.refusal(service)
    if why is not None:
        LOG.warning("%s", why)
        raise exception.IncompatibleVersion(detail=why)


class Pins:
    """The version of messages for a topic: [upgrade_levels], or what the oldest daemon that serves it understands."""

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        self._conf = conf
        self._known: dict[str, tuple[float, str]] = {}

    def __call__(self, topic: str) -> str | None:
        """None where nothing is known of who serves it: then the sender's own version is right."""
        level: str = self._conf.upgrade_levels[topic]
        if level != AUTO:
            return level
        at, pin = self._known.get(topic, (None, None))
        if at is None or clock.monotonic() - at > PIN_AGE_S:
            try:
                pin = oldest(topic)
            except exception.Unavailable:
                return pin  # as it was; the message is a wake-up, and who calls finds out by himself
            if pin is None:
                return None
            self._known[topic] = (clock.monotonic(), pin)
        return pin

    def forget(self) -> None:
        """Look again at the next message."""
        self._known.clear()


def oldest(topic: str) -> str | None:
    """What every daemon of a topic understands, but those that an operator forced down; None where there is none."""
    numbers = [service.version for service in services.list(f"nova-lite-{topic}") if not service.forced_down]
    return versions.understood(topic, min(numbers)) if numbers else None
