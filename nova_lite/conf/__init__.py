"""The option catalogue: one module a group, each with GROUP, OPTIONS and register(conf)."""

from __future__ import annotations

import importlib
import pkgutil

from oslo_config import cfg

CONF = cfg.CONF


def groups() -> list[str]:
    """Names of the catalogue's modules, sorted."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def register_all(conf: cfg.ConfigOpts = CONF) -> None:
    """Register every group of the catalogue."""
    for name in groups():
        importlib.import_module(f"{__name__}.{name}").register(conf)


def list_opts() -> list[tuple[str, list[cfg.Opt]]]:
    """Entry point of oslo.config's sample generator."""
    modules = [importlib.import_module(f"{__name__}.{name}") for name in groups()]
    return [(module.GROUP, module.OPTIONS) for module in modules]
