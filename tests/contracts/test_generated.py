"""Generated files are current; every option is explained, bounded and read by somebody."""

from __future__ import annotations

import ast
import pathlib

import pytest
from oslo_config import cfg, types

from doc import generate
from nova_lite import conf

ROOT = pathlib.Path(__file__).resolve().parents[2]
OPTIONS = [(group, option) for group, options in conf.list_opts() for option in options]


@pytest.mark.parametrize("path", generate.FILES)
def test_generated_files_are_current(path: str) -> None:
    assert (ROOT / path).read_text(encoding="utf-8") == generate.FILES[path](), "run: make docs"


def test_a_stale_file_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(generate.FILES, "doc/reference/calls.md", lambda: "something else")
    assert "doc/reference/calls.md" in generate.stale()


def test_every_group_is_registered_under_its_own_name() -> None:
    settings = cfg.ConfigOpts()
    conf.register_all(settings)
    settings([], project="nova-lite-test", default_config_files=[])
    for group, option in OPTIONS:
        place = settings if group == "DEFAULT" else settings[group]
        assert hasattr(place, option.dest), f"[{group}] {option.dest}"


def _words() -> set[str]:
    """Attribute names and strings in the code that is no option catalogue."""
    found: set[str] = set()
    for path in (ROOT / "nova_lite").rglob("*.py"):
        if path.is_relative_to(ROOT / "nova_lite" / "conf"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute):
                found.add(node.attr)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return found


# Read by a name that is put together: [DEFAULT] <api>_listen, <api>_listen_port, <api>_workers.
COMPOSED = ("_listen", "_listen_port", "_workers")


def test_every_option_is_read() -> None:
    words = _words()
    composed = any(word.endswith(COMPOSED) for word in words)
    unread = [
        f"[{group}] {option.dest}" for group, option in OPTIONS
        if option.dest not in words and not (group == "DEFAULT" and composed and option.dest.endswith(COMPOSED))
    ]  # fmt: skip
    assert unread == []


@pytest.mark.parametrize(("group", "option"), OPTIONS, ids=[f"{group}.{option.dest}" for group, option in OPTIONS])
def test_every_option_is_explained_and_bounded(group: str, option: cfg.Opt) -> None:
    text = " ".join((option.help or "").split())
    assert text.endswith((".", ")")) and len(text) > 40, "one sentence what, one sentence when to change it"
    if isinstance(option.type, (types.Integer, types.Float)):
        assert option.type.min is not None or option.type.choices, "a number needs a minimum"


@pytest.mark.parametrize(("group", "option"), OPTIONS, ids=[f"{group}.{option.dest}" for group, option in OPTIONS])
def test_secrets_are_marked_and_nothing_is_mandatory(group: str, option: cfg.Opt) -> None:
    assert not option.required
    if option.dest.endswith(("password", "secret")) and not isinstance(option.type, types.Boolean):
        assert option.secret, "keep it out of logs"
