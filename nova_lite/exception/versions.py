"""Daemons and messages of versions that do not go together."""

from __future__ import annotations

from nova_lite.exception.hosts import ConfigInvalid
from nova_lite.exception.kinds import NovaLiteError, Unavailable


class IncompatibleVersion(ConfigInvalid):
    """A daemon must not serve beside another: one of them is too old. The text says which to upgrade."""


class UnreadableObject(NovaLiteError, ValueError):
    """What travelled, or was kept, is of a version that this code does not know, or broken."""

    sentence = "%(what)s is not understood: %(why)s"


class UnreadableMessage(Unavailable):
    """A message of a version that its receiver does not understand; who sent it may be served after an upgrade."""

    sentence = "%(what)s is not understood by %(topic)s: %(why)s"
