"""Pages that point at files point at files that exist; HACKING.md stays short."""

from __future__ import annotations

import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "doc").rglob("*.md")), *sorted((ROOT / "benchmarks").glob("*.md"))]
# Where a path in a page may begin: the tree, the package, its rooms that pages shorten, the contract tests.
BASES = (
    "", "nova_lite", "nova_lite/virt", "nova_lite/scheduler", "nova_lite/api/openstack", "tests/contracts", "doc",
    "nova_lite/api/openstack/compute",
)  # fmt: skip
_CODE = re.compile(r"`([^`\s<>*]+)`")
_BRACES = re.compile(r"^(.*)\{([^}]*)\}(.*)$")
_LINK = re.compile(r"\[[^\]]*\]\(([^)#:\s]+)\)")


def _expand(path: str) -> list[str]:
    """``a/{b,c}.py`` as both."""
    match = _BRACES.match(path)
    if match is None:
        return [path]
    return [f"{match[1]}{part}{match[3]}" for part in match[2].split(",")]


def _named(page: pathlib.Path) -> list[str]:
    """Paths of this tree that the page names in code font: modules, and what lies in a folder of ours."""
    found = []
    for word in _CODE.findall(page.read_text(encoding="utf-8")):
        word = word.rstrip(":").split("::")[0]
        first = word.split("/")[0]
        ours = "/" in word and first in ("nova_lite", "tests", "doc", "etc", "bin", "benchmarks")
        if (ours or word.endswith(".py")) and not word.startswith((".", "/", "~", "$", "http")) and "NNN" not in word:
            found += _expand(word)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_named_files_exist(page: pathlib.Path) -> None:
    bases = [ROOT / base for base in BASES] + [page.parent]
    assert [name for name in _named(page) if not any(list(base.glob(name)) for base in bases)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: pathlib.Path) -> None:
    assert [link for link in _LINK.findall(page.read_text(encoding="utf-8")) if not (page.parent / link).exists()] == []


def test_every_page_is_found_from_another() -> None:
    """A page that nothing links to is read by nobody."""
    pages = [page for page in PAGES if page.is_relative_to(ROOT / "doc")]
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert [str(page.relative_to(ROOT)) for page in pages if page.name not in text] == []


def test_hacking_is_short() -> None:
    assert len((ROOT / "HACKING.md").read_text(encoding="utf-8").splitlines()) <= 100
