"""Tags of a server: a small set of words, changed by one request at a time."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable

from nova_lite import exception
from nova_lite.compute import acceptance, actions
from nova_lite.compute.doors.door import Door
from nova_lite.context import RequestContext
from nova_lite.db.api import instances
from nova_lite.db.session import retry_on_deadlock, writer
from nova_lite.objects import Instance

# As Nova's MAX_TAG_COUNT.
MOST = 50

Tags = tuple[str, ...]


class TagsDoor(Door):
    """
    :raises InstanceInvalidState: the server is in no state whose tags change.
    :raises InstanceNotFound: it was deleted meanwhile.
    """

    def add(self, ctxt: RequestContext, instance: Instance, tag: str) -> bool:
        """Whether the tag is new. :raises Invalid: one tag too many."""
        before, _ = _change(instance.uuid, "update tag", lambda present: {*present, tag})
        return tag not in before

    def replace(self, ctxt: RequestContext, instance: Instance, tags: Iterable[str]) -> Tags:
        """Have these tags and no others; as they are kept. :raises Invalid: too many."""
        wanted = set(tags)
        _, after = _change(instance.uuid, "update tags", lambda present: wanted)
        return after

    def remove(self, ctxt: RequestContext, instance: Instance, tag: str) -> None:
        """:raises InstanceTagNotFound: the server has no such tag."""
        before, _ = _change(instance.uuid, "delete tag", lambda present: set(present) - {tag})
        if tag not in before:
            raise exception.InstanceTagNotFound(instance_uuid=instance.uuid, tag=tag)

    def clear(self, ctxt: RequestContext, instance: Instance) -> None:
        _change(instance.uuid, "delete tags", lambda present: set())


@retry_on_deadlock
def _change(uuid: str, verb: str, change: Callable[[Tags], set[str]]) -> tuple[Tags, Tags]:
    """The tags before and after; ``verb`` is what a refusal calls it."""
    with writer():
        server = instances.locked(uuid)
        acceptance.check(dataclasses.replace(actions.WRITE_TAGS, verb=verb), server)
        after = tuple(sorted(change(server.tags)))
        if len(after) > MOST and len(after) > len(server.tags):
            raise exception.Invalid(f"The number of tags exceeded the per-server limit {MOST}")
        if after != server.tags:
            instances.set_tags(uuid, after)
        return server.tags, after
