"""Tokens open the consoles of servers that are there (I5), and are forgotten in time (I11)."""

from __future__ import annotations

from collections.abc import Iterable

from nova_lite.audit.finding import Complaint, Repair, Rule
from nova_lite.audit.world import World


def _orphans(world: World) -> Iterable[Complaint]:
    for token in world.tokens:
        server = world.servers.get(token.instance_uuid)
        if token.last_expiry > world.now and (server is None or server.host is None):
            where = "is gone" if server is None else "is on no host"
            sentence = f"tokens open a console of server {token.instance_uuid}, which {where}"
            repair = Repair.FORGET_TOKENS
            yield Complaint("console_token", token.instance_uuid, sentence, token.instance_uuid, repair=repair)


def _old(world: World) -> Iterable[Complaint]:
    for token in world.tokens:
        if token.first_expiry + world.patience < world.now:
            sentence = f"console tokens of server {token.instance_uuid} are kept, expired since {token.first_expiry}"
            yield Complaint("console_token", token.instance_uuid, sentence, repair=Repair.FORGET_TOKENS)


RULES = (
    Rule("token-has-console", "I5", "", _orphans),
    Rule("token-is-forgotten", "I11", "see whether a conductor runs: it tidies up", _old),
)
