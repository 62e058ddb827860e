"""Pure rooms are mirrored by unit tests: same path, ``test_`` before the name."""

from __future__ import annotations

import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROOMS = (
    "objects", "scheduler/filters", "scheduler/weighers", "scheduler/selection.py", "scheduler/host_state.py",
    "scheduler/explain.py", "compute/actions.py", "compute/statuses.py", "exception",
    "api/openstack/compute/views", "virt/libvirt/xml", "virt/libvirt/build",
)  # fmt: skip
SMALL_LINES = 20


def _modules() -> list[pathlib.Path]:
    found: list[pathlib.Path] = []
    for room in ROOMS:
        path = ROOT / "nova_lite" / room
        assert path.exists(), f"{room} is no room: correct ROOMS"
        found += [path] if path.is_file() else sorted(path.rglob("*.py"))
    return [path for path in found if path.name != "__init__.py"]


def _mirrors(module: pathlib.Path) -> list[pathlib.Path]:
    """Where its test may be: beside its mirror, or one file for the whole folder (a table test)."""
    unit = ROOT / "tests" / "unit" / module.relative_to(ROOT / "nova_lite").parent
    return [unit / f"test_{module.stem}.py", unit / f"test_{module.parent.name}.py"]


def test_every_pure_module_has_a_unit_test() -> None:
    bare = [
        str(module.relative_to(ROOT)) for module in _modules()
        if len(module.read_text(encoding="utf-8").splitlines()) > SMALL_LINES
        and not any(mirror.exists() for mirror in _mirrors(module))
    ]  # fmt: skip
    assert bare == []


def test_no_unit_test_without_its_module() -> None:
    """A mirror of something that was renamed or removed tests nothing."""
    strays = []
    for test in sorted((ROOT / "tests" / "unit").rglob("test_*.py")):
        inside = test.relative_to(ROOT / "tests" / "unit")
        base = {"harness": ROOT / "tests", "bin": ROOT, "benchmarks": ROOT}.get(inside.parts[0], ROOT / "nova_lite")
        if len(inside.parts) > 1 and not (base / inside.parent).is_dir():
            strays.append(str(test.relative_to(ROOT)))
    assert strays == []
