"""Reads the configuration at start, points at lines that nothing reads, and takes over mutable options on HUP."""

from __future__ import annotations

import difflib
import glob
import importlib.metadata
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass

from oslo_config import cfg
from oslo_log import log as logging

from nova_lite import __version__, concurrency
from nova_lite import conf as catalogue
from nova_lite.conf import operations
from nova_lite.early_config import PROJECT

LOG = logging.getLogger(__name__)

# Libraries whose options may stand in our file; they are asked only about keys that the catalogue does not know.
LIBRARIES = (
    "keystonemiddleware.auth_token",
    "oslo.concurrency",
    "oslo.log",
    "oslo.messaging",
    "oslo.middleware.cors",
    "oslo.middleware.healthcheck",
    "oslo.middleware.http_proxy_to_wsgi",
    "oslo.middleware.sizelimit",
    "oslo.policy",
    "oslo.reports",
    "osprofiler",
)

# Options of the password plugin that keystonemiddleware loads into its group when it authenticates, not before.
AUTH_PLUGIN = {
    "auth_url", "username", "user_id", "password", "project_id", "project_name", "user_domain_id", "user_domain_name",
    "project_domain_id", "project_domain_name", "default_domain_id", "default_domain_name", "system_scope", "trust_id",
}  # fmt: skip


@dataclass(frozen=True)
class UnknownKey:
    """A line of the configuration that nothing reads."""

    path: str
    group: str
    key: str
    suggestion: str | None

    def __str__(self) -> str:
        hint = f"; did you mean {self.suggestion}?" if self.suggestion else ""
        return f"{self.path}: [{self.group}] {self.key} is not an option{hint}"


def register_all(conf: cfg.ConfigOpts = catalogue.CONF) -> None:
    """Register the catalogue and what every process needs beside it."""
    catalogue.register_all(conf)
    if "use_json" not in conf:
        logging.register_options(conf)


def parse_args(argv: list[str], binary: str, conf: cfg.ConfigOpts = catalogue.CONF) -> cfg.ConfigOpts:
    """Read the command line, the environment (OS_<GROUP>__<OPTION>) and the configuration files.

    Without --config-file those are ~/.nova-lite/nova-lite.conf, ~/nova-lite.conf, /etc/nova-lite/nova-lite.conf or
    /etc/nova-lite.conf, the first that exists, and the same for the binary's own name.

    :raises SystemExit: a value has the wrong form or a named file is missing; the text says which.
    """
    concurrency.choose_oslo_service_backend()
    register_all(conf)
    try:
        conf(argv, project=PROJECT, prog=binary, version=__version__)
        _read_all(conf)
    except cfg.Error as error:
        raise SystemExit(f"{binary}: {error}") from error
    except (OSError, UnicodeError) as error:  # a directory, a file that is no text
        raise SystemExit(f"{binary}: cannot read the configuration of {' '.join(argv)}: {error}") from error
    return conf


def _read_all(conf: cfg.ConfigOpts) -> None:
    """Read every option once: oslo.config finds out about a wrong value when it is read, which must not be at noon.

    :raises ConfigFileValueError: see there.
    """
    for group, options in catalogue.list_opts():
        section = conf if group == "DEFAULT" else conf[group]
        for option in options:
            value = getattr(section, option.dest)
            if isinstance(value, float) and not math.isfinite(value):  # "nan" is below no limit and above none
                raise cfg.ConfigFileValueError(f"[{group}] {option.name} = {value} is no finite number")


@dataclass(frozen=True)
class Misfit:
    """Two options that do not go together; with ``is_fatal`` nothing works."""

    text: str
    is_fatal: bool

    def __str__(self) -> str:
        return self.text


def misfits(conf: cfg.ConfigOpts) -> Iterator[Misfit]:
    """What of the journal's intervals does not fit together (:data:`nova_lite.conf.operations.FITS`)."""
    section = conf[operations.GROUP]
    for fit in operations.FITS:
        shorter, longer = section[fit.shorter], section[fit.longer]
        if shorter * fit.times <= longer:
            continue
        is_fatal = fit.is_fatal and shorter >= longer
        pair = f"[{operations.GROUP}] {fit.shorter} = {shorter} does not go with {fit.longer} = {longer}"
        why = fit.why if shorter >= longer else f"if one is late, {fit.why}"
        yield Misfit(f"{pair}: {why}. Let {fit.longer} be at least {fit.times} x {fit.shorter}.", is_fatal)


def warn_unknown(conf: cfg.ConfigOpts) -> list[UnknownKey]:
    """Log a warning for each key nothing reads; they are answered too."""
    unknown = list(unknown_keys(conf))
    for each in unknown:
        LOG.warning("%s", each)
    return unknown


def reload(conf: cfg.ConfigOpts) -> None:
    """Read the files again and take over the options marked as mutable."""
    try:
        fresh = conf.mutate_config_files()
    except (cfg.Error, OSError, UnicodeError) as error:
        LOG.error("the configuration stays as it was: %s", error)
        return
    for (group, name), (_, value) in fresh.items():
        LOG.info("[%s] %s is now %s", group or "DEFAULT", name, value)


def config_files(conf: cfg.ConfigOpts) -> list[str]:
    """The files that were read, in their order."""
    files = list(conf.config_file or [])
    for directory in conf.config_dir or []:
        files += sorted(glob.glob(os.path.join(directory, "*.conf")))
    return [os.path.expanduser(path) for path in files]


def unknown_keys(conf: cfg.ConfigOpts) -> Iterator[UnknownKey]:
    """Keys in the files that neither the catalogue nor a library knows."""
    ours = _catalogue_names(conf)
    known: dict[str, set[str]] | None = None
    for path in config_files(conf):
        sections: dict[str, dict[str, list[str]]] = {}
        cfg.ConfigParser(path, sections).parse()
        for group, keys in sections.items():
            for key in keys:
                if _normal(key) in ours.get(group, ()):
                    continue
                if known is None:
                    known = _with_libraries(ours)
                if _normal(key) not in known.get(group, ()):
                    yield UnknownKey(path, group, key, _suggestion(group, key, known))


def _normal(key: str) -> str:
    return key.replace("-", "_").lower()


def _names(option: cfg.Opt) -> set[str]:
    return {option.dest, *(_normal(old.name) for old in option.deprecated_opts if old.name)}


def _catalogue_names(conf: cfg.ConfigOpts) -> dict[str, set[str]]:
    names: dict[str, set[str]] = {}
    for group, options in catalogue.list_opts():
        names.setdefault(group, set()).update(*(_names(option) for option in options))
    return names


def _with_libraries(ours: dict[str, set[str]]) -> dict[str, set[str]]:
    known = {group: set(names) for group, names in ours.items()}
    for entry in importlib.metadata.entry_points(group="oslo.config.opts"):
        if entry.name not in LIBRARIES:
            continue
        for group, options in entry.load()():
            name = getattr(group, "name", group) or "DEFAULT"
            known.setdefault(str(name), set()).update(*(_names(option) for option in options))
    known.setdefault("keystone_authtoken", set()).update(AUTH_PLUGIN)
    return known


def _suggestion(group: str, key: str, known: dict[str, set[str]]) -> str | None:
    """The nearest name of the group, the group where the name lives, or the nearest of all."""
    near = difflib.get_close_matches(_normal(key), known.get(group, ()), n=1, cutoff=0.75)
    if near:
        return f"[{group}] {near[0]}"
    homes = sorted(name for name, keys in known.items() if _normal(key) in keys)
    if homes:
        return f"[{homes[0]}] {_normal(key)}"
    groups = difflib.get_close_matches(group, known, n=1, cutoff=0.75)
    return f"[{groups[0]}] {_normal(key)}" if groups and _normal(key) in known[groups[0]] else None
