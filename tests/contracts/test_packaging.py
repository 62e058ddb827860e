"""What setup.cfg promises an installer, against the tree and against the set that was tested."""

from __future__ import annotations

import ast
import configparser
import importlib
import importlib.metadata
import pathlib
import re
import sys

import pytest
from packaging.requirements import Requirement

TOP = pathlib.Path(__file__).resolve().parents[2]


def setup_cfg() -> configparser.ConfigParser:
    found = configparser.ConfigParser()
    found.read(TOP / "setup.cfg")
    return found


def requirements() -> dict[str, Requirement]:
    """Every direct requirement, those of the extras included, by normalised name."""
    cfg = setup_cfg()
    lines = cfg["options"]["install_requires"].splitlines()
    for extra in cfg["options.extras_require"].values():
        lines += extra.splitlines()
    parsed = [Requirement(line.strip()) for line in lines if line.strip() and not line.strip().startswith("#")]
    return {normal(one.name): one for one in parsed}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def constraints() -> dict[str, str]:
    lines = (TOP / "constraints.txt").read_text().split()
    return {normal(name): version for name, _, version in (line.partition("==") for line in lines)}


def scripts() -> list[str]:
    return [
        line.strip() for line in setup_cfg()["options.entry_points"]["console_scripts"].splitlines() if line.strip()
    ]


@pytest.mark.parametrize("script", scripts())
def test_console_scripts_lead_to_functions(script: str) -> None:
    module, _, function = script.partition(" = ")[2].partition(":")
    source = TOP / (module.replace(".", "/") + ".py")
    names = {node.name for node in ast.parse(source.read_text()).body if isinstance(node, ast.FunctionDef)}
    assert function in names


def test_every_range_contains_the_tested_version() -> None:
    tested = constraints()
    for name, requirement in requirements().items():
        assert name in tested, f"{name} is missing from constraints.txt"
        assert requirement.specifier.contains(tested[name]), f"{requirement} excludes the tested {tested[name]}"


def test_constraints_pin_each_name_once() -> None:
    lines = (TOP / "constraints.txt").read_text().split()
    assert len(lines) == len(constraints())
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[A-Za-z0-9_.+-]+", line) for line in lines)


def test_what_is_imported_is_required() -> None:
    """A distribution that only comes along with another one may go with it."""
    providers = importlib.metadata.packages_distributions()
    declared = set(requirements())
    undeclared: dict[str, str] = {}
    for path in (TOP / "nova_lite").rglob("*.py"):
        for module in imported(path):
            if module not in sys.stdlib_module_names and module != "nova_lite":
                distributions = {normal(name) for name in providers.get(module, [module])}
                if not distributions & declared:
                    undeclared[module] = str(path.relative_to(TOP))
    assert undeclared == {}


def imported(path: pathlib.Path) -> set[str]:
    """Top-level names of the packages that a module imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.partition(".")[0])
    return found


def test_what_a_plain_install_needs_beside_code_is_packed() -> None:
    data = setup_cfg()["options.data_files"]["etc/nova-lite"].split()
    packed = {path.name for pattern in data for path in TOP.glob(pattern)}
    assert {"api-paste.ini", "nova-lite.conf"} <= packed
    inside = setup_cfg()["options.package_data"]["nova_lite"].split()
    covered = {path for pattern in inside for path in (TOP / "nova_lite").glob(pattern)}
    others = {
        path
        for path in (TOP / "nova_lite").rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc") and "__pycache__" not in path.parts
    }
    assert others <= covered


def test_entry_point_of_the_sample_generator_lists_options() -> None:
    target = setup_cfg()["options.entry_points"]["oslo.config.opts"].partition("=")[2].strip()
    module, _, function = target.partition(":")
    assert getattr(importlib.import_module(module), function)()


def test_readme_commands_exist() -> None:
    makefile = (TOP / "Makefile").read_text()
    named = set(re.findall(r"make ([a-z-]+)", (TOP / "README.md").read_text()))
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    assert named - {"run", "test"} <= targets and {"run", "test"} <= targets
    phony = set(makefile.partition(".PHONY:")[2].partition("\n\n")[0].replace("\\", " ").split())
    assert targets <= phony
