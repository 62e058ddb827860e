"""The one option that must be known before anything else is imported: [DEFAULT] concurrency_backend.

Monkey patching must come before oslo.config is imported, so the value is read here by plain parsing, from the same
places and in the same order of precedence as oslo.config would: environment, then the last configuration file with it.
Only the interpreter's own small modules are imported.
"""

from __future__ import annotations

import os
import sys

PROJECT = "nova-lite"
OPTION = "concurrency_backend"
ENVIRONMENT = ("NOVA_LITE_CONCURRENCY_BACKEND", "OS_DEFAULT__CONCURRENCY_BACKEND")
CHOICES = ("eventlet", "threading")
DEFAULT = "eventlet"


def concurrency_backend(argv: list[str] | None = None, environ: dict[str, str] | None = None) -> str:
    """The backend asked for.

    :raises SystemExit: the value is neither of CHOICES; the text names the place and the remedy.
    """
    argv = sys.argv if argv is None else argv
    environ = dict(os.environ) if environ is None else environ
    value, place = DEFAULT, "default"
    for path in _config_files(argv, environ):
        found = _value_in(path)
        if found is not None:
            value, place = found, path
    for name in reversed(ENVIRONMENT):
        if environ.get(name):
            value, place = environ[name], f"environment variable {name}"
    if value not in CHOICES:
        raise SystemExit(f"{OPTION} = {value} (from {place}) is not supported: use one of {', '.join(CHOICES)}.")
    return value


def _config_files(argv: list[str], environ: dict[str, str]) -> list[str]:
    """Files oslo.config would read, in its order: the last one wins."""
    files, directories = _named(argv, "--config-file"), _named(argv, "--config-dir")
    program = os.path.basename(argv[0]).removesuffix(".py") if argv else PROJECT
    if not files:
        files = _first_found(environ, (f"{PROJECT}.conf", f"{program}.conf"))
    if not directories:
        directories = _first_found(environ, (f"{PROJECT}.conf.d", f"{program}.conf.d"))
    for directory in directories:
        if os.path.isdir(directory):
            names = sorted(name for name in os.listdir(directory) if name.endswith(".conf"))
            files = files + [os.path.join(directory, name) for name in names]
    return files


def _named(argv: list[str], flag: str) -> list[str]:
    values = []
    for position, word in enumerate(argv):
        if word == flag and position + 1 < len(argv):
            values.append(argv[position + 1])
        elif word.startswith(flag + "="):
            values.append(word[len(flag) + 1 :])
    return [os.path.expanduser(value) for value in values]


def _first_found(environ: dict[str, str], names: tuple[str, ...]) -> list[str]:
    home = environ.get("HOME", "")
    places = [os.path.join(home, f".{PROJECT}"), home] if home else []
    places += [f"/etc/{PROJECT}", "/etc"]
    found: list[str] = []
    for name in dict.fromkeys(names):
        found += [path for place in places if os.path.exists(path := os.path.join(place, name))][:1]
    return found


def _value_in(path: str) -> str | None:
    """The option's value in one file; None when it is absent or the file unreadable (oslo.config says that better)."""
    try:
        with open(path, encoding="utf-8") as lines:
            section, value = "", None
            for raw in lines:
                line = raw.strip()
                if line.startswith("[") and line.endswith("]"):
                    section = line[1:-1].strip()
                elif section == "DEFAULT" and line.partition("=")[0].strip() == OPTION:
                    value = line.partition("=")[2].strip().strip("'\"")
            return value
    except (OSError, UnicodeDecodeError):
        return None
