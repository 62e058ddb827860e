"""The import contracts of .importlinter hold, and every module stands on a floor."""

from __future__ import annotations

import ast
import configparser
import pathlib
import re

import pytest
from importlinter import cli

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "nova_lite"
# Packages whose modules live on several floors: whatever their __init__ imports, everything below would reach.
SPLIT = ("", "compute", "conductor", "scheduler", "virt", "api", "api/openstack", "api/openstack/compute", "cmd")


def _module(path: pathlib.Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _modules() -> list[str]:
    return sorted(_module(path) for path in PACKAGE.rglob("*.py"))


def test_import_contracts(capsys: pytest.CaptureFixture[str]) -> None:
    code = cli.lint_imports(config_filename=str(ROOT / ".importlinter"), no_cache=True)
    assert code == 0, capsys.readouterr().out


def floors() -> list[str]:
    config = configparser.ConfigParser()
    config.read(ROOT / ".importlinter")
    return re.findall(r"nova_lite[\w.]*", config["importlinter:contract:floors"]["layers"])


def test_every_module_stands_on_a_floor() -> None:
    named = floors()
    packages = {_module(path) for path in PACKAGE.rglob("__init__.py")}
    homeless = [
        module for module in _modules()
        if not any(module == floor or module.startswith(floor + ".") for floor in named)
        and not (module in packages and any(floor.startswith(module + ".") for floor in named))
        and not module.startswith("nova_lite.db.alembic")
    ]  # fmt: skip
    assert homeless == [], "put these on a floor in .importlinter"


@pytest.mark.parametrize("package", SPLIT)
def test_split_packages_import_nothing(package: str) -> None:
    tree = ast.parse((PACKAGE / package / "__init__.py").read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom))]
    assert [ast.unparse(node) for node in imports if "__future__" not in ast.unparse(node)] == []


def test_nothing_imports_the_tests() -> None:
    offenders = [
        str(path.relative_to(ROOT)) for path in PACKAGE.rglob("*.py")
        if re.search(r"^\s*(?:from|import) tests\b", path.read_text(encoding="utf-8"), re.M)
    ]  # fmt: skip
    assert offenders == []
