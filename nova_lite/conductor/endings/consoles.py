"""Tokens of consoles end when the guest they open is no longer there."""

from __future__ import annotations

from nova_lite.db.api import console_tokens
from nova_lite.objects import Instance


def forget(instance: Instance) -> None:
    console_tokens.forget(instance.uuid)
