"""nova-lite-manage: the operator's tool; one module a noun."""

from nova_lite.cmd.manage.program import main

__all__ = ("main",)
