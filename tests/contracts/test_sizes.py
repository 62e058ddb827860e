"""The size ratchet: files, functions, classes and fan-out stay below limits.toml; exceptions only shrink."""

from __future__ import annotations

import ast
import pathlib
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIMITS: dict[str, Any] = tomllib.loads((ROOT / "tests/contracts/limits.toml").read_text(encoding="utf-8"))
WATCHED = ("nova_lite", "tests", "benchmarks")
BAD_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "tools", "base2", "lib"}


@dataclass(frozen=True)
class Size:
    """One measured thing; ``name`` is empty for a file."""

    path: str
    name: str
    size: int


def _files() -> Iterator[tuple[str, str]]:
    for folder in WATCHED:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "alembic/versions" not in str(path):
                yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")


def file_sizes() -> list[Size]:
    return [Size(path, "", len(text.splitlines())) for path, text in _files()]


def function_sizes() -> list[Size]:
    """Lines of each function without its decorators and docstring."""
    return [size for path, text in _files() for size in _functions(path, ast.parse(text), "")]


def _functions(path: str, node: ast.AST, prefix: str) -> Iterator[Size]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            name = f"{prefix}{child.name}"
            if not isinstance(child, ast.ClassDef):
                yield Size(path, name, _length(child))
            yield from _functions(path, child, f"{name}.")
        else:
            yield from _functions(path, child, prefix)


def _length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        lines -= (first.end_lineno or first.lineno) - first.lineno + 1
    return lines


def class_sizes() -> list[Size]:
    """Public methods of each class."""
    found = []
    for path, text in _files():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ClassDef):
                functions = [each for each in node.body if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef))]
                public = [each for each in functions if not each.name.startswith("_")]
                found.append(Size(path, node.name, len(public)))
    return found


def fan_out() -> list[Size]:
    """Modules of nova_lite that one of its modules imports."""
    found = []
    for path, text in _files():
        if not path.startswith("nova_lite/") or path.startswith("nova_lite/cmd/") or path.endswith("__init__.py"):
            continue
        names: set[str] = set()
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("nova_lite"):
                names |= {f"{node.module}.{alias.name}" for alias in node.names if alias.name.islower()}
                names |= {str(node.module) for alias in node.names if not alias.name.islower()}
        found.append(Size(path, "", len(names)))
    return found


KINDS = [
    ("file", "lines", "file_lines", file_sizes),
    ("function", "lines", "function_lines", function_sizes),
    ("class", "public_methods", "public_methods", class_sizes),
    ("fan_out", "imports", "fan_out_imports", fan_out),
]


@pytest.mark.parametrize(("kind", "unit", "limit", "measure"), KINDS, ids=[kind for kind, *_ in KINDS])
def test_sizes(kind: str, unit: str, limit: str, measure: Any) -> None:
    exceptions = {(each["path"], each.get("name", "")): each for each in LIMITS.get(kind, [])}
    complaints = []
    seen = set()
    for size in measure():
        key = (size.path, size.name)
        allowed = exceptions.get(key)
        if allowed:
            seen.add(key)
            if size.size != allowed[unit]:
                complaints.append(f"{key}: {size.size} {unit}, limits.toml says {allowed[unit]}: it may only shrink")
        elif size.size > LIMITS[limit]:
            complaints.append(f"{size.path} {size.name}: {size.size} {unit}, at most {LIMITS[limit]}")
    complaints += [f"{key} is gone: remove it from limits.toml" for key in exceptions.keys() - seen]
    assert complaints == []


def test_exceptions_have_reasons_and_are_needed() -> None:
    for kind, unit, limit, _ in KINDS:
        for each in LIMITS.get(kind, []):
            assert len(each["reason"]) > 20, each
            assert each[unit] > LIMITS[limit], f"{each} is within the limit: remove it"


def test_no_module_without_a_noun() -> None:
    paths = [path for folder in WATCHED for path in (ROOT / folder).rglob("*") if path.suffix in ("", ".py")]
    assert [str(path.relative_to(ROOT)) for path in paths if path.stem in BAD_NAMES] == []
