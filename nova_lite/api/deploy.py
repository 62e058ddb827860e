"""Loads an application of the Paste file; what is wrong with either is one clear sentence."""

from __future__ import annotations

import configparser
import pathlib
import sys
from typing import Any

from oslo_config import cfg
from paste import deploy as paste

from nova_lite import conf as nova_conf
from nova_lite import exception

_PACKAGE = pathlib.Path(__file__).resolve().parents[1]

# Paste's factories take strings only; while an application is loaded this is where they find the configuration.
_conf: cfg.ConfigOpts = nova_conf.CONF


def configuration() -> cfg.ConfigOpts:
    """The configuration of the application being loaded."""
    return _conf


def load_app(name: str, paste_config_path: str | None = None, conf: cfg.ConfigOpts = nova_conf.CONF) -> Any:
    """The application ``name`` of the Paste file, ready to serve.

    :raises ConfigInvalid: no such file, no such application in it, or one that cannot be made.
    """
    global _conf
    path = find_paste_config(paste_config_path or conf.api.paste_config, conf)
    known = applications(path)
    if name not in known:
        raise exception.ConfigInvalid(detail=f"no app '{name}' in {path}; it has: {', '.join(known)}")
    _conf = conf
    try:
        return paste.loadapp(f"config:{path}", name=name)
    except exception.NovaLiteError:
        raise
    except (LookupError, ImportError, AttributeError, TypeError, ValueError, AssertionError) as error:
        raise exception.ConfigInvalid(detail=f"app '{name}' of {path} cannot be loaded: {error}") from error


def applications(path: pathlib.Path) -> list[str]:
    """Names of the file's app, composite and pipeline sections.

    :raises ConfigInvalid: it is no Paste file.
    """
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(path.read_text())
    except (configparser.Error, OSError, UnicodeDecodeError) as error:
        raise exception.ConfigInvalid(detail=f"{path} is not a Paste file: {error}") from error
    kinds = ("app:", "application:", "composite:", "pipeline:")
    return sorted(section.split(":", 1)[1] for section in parser.sections() if section.startswith(kinds))


def find_paste_config(name: str, conf: cfg.ConfigOpts = nova_conf.CONF) -> pathlib.Path:
    """The Paste file: a path as it is, a bare name searched in the usual places.

    :raises ConfigInvalid: it is nowhere.
    """
    asked = pathlib.Path(name).expanduser()
    if asked.is_absolute() or len(asked.parts) > 1:
        places = [asked]
    else:
        given = [pathlib.Path(file).resolve().parent for file in conf.config_file or []]
        folders = [*given, pathlib.Path("/etc/nova-lite"), pathlib.Path(sys.prefix) / "etc" / "nova-lite",
                   _PACKAGE.parent / "etc"]  # fmt: skip
        places = [folder / name for folder in folders]
    for place in places:
        if place.is_file():
            return place.resolve()
    raise exception.ConfigInvalid(
        detail=f"[api] paste_config: no file {name}; searched: {', '.join(str(place) for place in places)}"
    )
