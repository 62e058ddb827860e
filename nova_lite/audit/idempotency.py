"""A key that a client may say again answers with a server that was made (I12), and is forgotten in time (I11)."""

from __future__ import annotations

from collections.abc import Iterable

from nova_lite.audit.finding import Complaint, Repair, Rule
from nova_lite.audit.world import World


def _strangers(world: World) -> Iterable[Complaint]:
    made = {operation.instance_uuid for operation in world.operations}
    for key in world.keys:
        if key.server not in world.servers and key.server not in world.gone and key.server not in made:
            sentence = f"idempotency key {key.ident} answers with server {key.server}, which nobody knows"
            yield Complaint("idempotency_key", str(key.ident), sentence, key.server)


def _old(world: World) -> Iterable[Complaint]:
    for key in world.keys:
        if key.expires_at + world.patience < world.now:
            sentence = f"idempotency key {key.ident} is kept, expired since {key.expires_at}"
            yield Complaint("idempotency_key", str(key.ident), sentence, repair=Repair.FORGET_KEYS)


RULES = (
    Rule("key-has-server", "I12", "the journal is younger than the key: was a backup restored?", _strangers),
    Rule("key-is-forgotten", "I11", "see whether a conductor runs: it tidies up", _old),
)
