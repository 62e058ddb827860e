"""What must not be in the code: shells, unsafe loaders, naive compares, guessed image formats, registry hosts."""

from __future__ import annotations

import ast
import os
import pathlib
import re
from collections.abc import Iterator

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "nova_lite"

FORBIDDEN_CALLS = {
    "yaml.load": "yaml.safe_load", "yaml.unsafe_load": "yaml.safe_load", "yaml.full_load": "yaml.safe_load",
    "os.system": "an argv list", "os.popen": "an argv list", "subprocess.getoutput": "an argv list",
    "subprocess.getstatusoutput": "an argv list", "eval": "nothing", "exec": "nothing", "tempfile.mktemp": "mkstemp",
    "datetime.utcnow": "nova_lite.clock.utcnow", "datetime.datetime.utcnow": "nova_lite.clock.utcnow",
    "hashlib.md5": "usedforsecurity=False", "hashlib.sha1": "usedforsecurity=False",
}  # fmt: skip
FORBIDDEN_IMPORTS = {"pickle", "cPickle", "marshal", "shelve", "dill", "xml.dom.minidom", "xml.sax"}
SECRET = re.compile(r"(password|passwd|secret|signature|hmac|digest|token)s?$", re.I)
IMAGE_TOOLS = {"qemu-img"}
TAKES_FORMAT = {"info", "convert", "create", "resize", "rebase", "check", "commit", "measure", "map", "snapshot"}
FORMAT_FLAGS = {"-f", "-U", "-F", "--image-opts"}


def _sources(*folders: str) -> Iterator[tuple[str, ast.Module]]:
    for folder in folders or ("nova_lite",):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))


def _name(node: ast.AST) -> str:
    return ast.unparse(node) if isinstance(node, (ast.Name, ast.Attribute)) else ""


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def test_no_shell() -> None:
    found = [
        f"{path}:{call.lineno}" for path, tree in _sources("nova_lite", "tests", "benchmarks") for call in _calls(tree)
        if any(word.arg == "shell" and ast.unparse(word.value) != "False" for word in call.keywords)
    ]  # fmt: skip
    assert found == []


def test_no_unsafe_calls() -> None:
    found = []
    for path, tree in _sources():
        for call in _calls(tree):
            name = _name(call.func)
            safe = any(word.arg == "usedforsecurity" and ast.unparse(word.value) == "False" for word in call.keywords)
            if name in FORBIDDEN_CALLS and not safe:
                found.append(f"{path}:{call.lineno} {name}: use {FORBIDDEN_CALLS[name]}")
    assert found == []


def test_no_unsafe_imports() -> None:
    found = []
    for path, tree in _sources():
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found += [f"{path}:{node.lineno} {name}" for name in names if name in FORBIDDEN_IMPORTS]
    assert found == []


def test_the_api_reads_no_xml() -> None:
    """No parser, no entity tricks (SECURITY S17)."""
    found = []
    for path, tree in _sources("nova_lite/api", "nova_lite/embedded"):
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found += [f"{path}:{node.lineno} {name}" for name in names if name.split(".")[0] in ("xml", "lxml")]
    assert found == []


def _is_secret(node: ast.AST) -> bool:
    name = _name(node).rsplit(".", 1)[-1]
    return bool(SECRET.search(name)) and not name.isupper()


def test_secrets_are_compared_in_constant_time() -> None:
    """``==`` between two secrets tells their common prefix by its duration (SECURITY S27)."""
    found = []
    for path, tree in _sources():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Compare) or not any(isinstance(op, (ast.Eq, ast.NotEq)) for op in node.ops):
                continue
            sides = [node.left, *node.comparators]
            constant = any(isinstance(side, ast.Constant) for side in sides)
            if any(_is_secret(side) for side in sides) and not constant:
                found.append(f"{path}:{node.lineno} {ast.unparse(node)}: hmac.compare_digest")
    assert found == []


def _argv(node: ast.AST) -> list[str | None]:
    """A list or tuple display as strings; None for what is no constant."""
    if isinstance(node, (ast.List, ast.Tuple)):
        return [each.value if isinstance(each, ast.Constant) and isinstance(each.value, str) else None
                for each in node.elts]  # fmt: skip
    return []


def test_every_qemu_img_names_the_format() -> None:
    """A probed format lets a guest's bytes choose how the host reads them (SECURITY S4, S5)."""
    found = []
    for path, tree in _sources():
        for node in ast.walk(tree):
            argv = _argv(node)
            for position, word in enumerate(argv[:-1]):
                if word in IMAGE_TOOLS and argv[position + 1] in TAKES_FORMAT and not FORMAT_FLAGS & set(argv):
                    found.append(f"{path}:{node.lineno} {ast.unparse(node)}")
    assert found == []


def test_qemu_img_is_called_in_one_place_of_a_service_only() -> None:
    """The volume stand-in is a service of its own, which knows nothing of the hypervisors' rooms."""
    callers = {
        path for path, tree in _sources() for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and node.value == "qemu-img"
    }  # fmt: skip
    assert callers <= {"nova_lite/virt/images.py", "nova_lite/embedded/volume/copying.py"}


TEXTS = (".py", ".md", ".ini", ".conf", ".cfg", ".toml", ".txt", ".yaml", ".yml", ".sh", "")
# Built from pieces, so that this file does not name what it forbids.
HOSTS = ["pypi" + ".org", "python" + "hosted", "registry." + "npmjs", "docker" + ".io", "quay" + ".io", "ghcr" + ".io"]
LOCAL = ["/work" + "/", "/tmp" + "/w/", ".lib" + "rary"]


def _tracked() -> list[pathlib.Path]:
    """Everything but what tools leave behind: hidden folders other than .ci, caches, builds."""
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [
            name for name in folders
            if (not name.startswith(".") or name == ".ci") and name != "__pycache__"
            and not (folder == str(ROOT) and name in ("build", "dist")) and not name.endswith(".egg-info")
        ]  # fmt: skip
        found += [path for path in (pathlib.Path(folder) / name for name in names) if path.suffix in TEXTS]
    return found


@pytest.mark.parametrize("words", [HOSTS, LOCAL], ids=["registry hosts", "paths of one machine"])
def test_no_words(words: list[str]) -> None:
    found = []
    for path in _tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}: {word}" for word in words if word in text]
    assert found == []


def test_eventlet_and_greenlet_are_named_by_concurrency_only() -> None:
    """import-linter sees imports; importlib and strings it does not see."""
    found = [
        f"{path}:{call.lineno}" for path, tree in _sources() for call in _calls(tree)
        if _name(call.func).endswith("import_module")
        and any(re.match(r"(eventlet|greenlet)\b", str(getattr(word, "value", ""))) for word in call.args)
        and path != "nova_lite/concurrency.py"
    ]  # fmt: skip
    assert found == []


def test_no_todo_without_a_name() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in PACKAGE.rglob("*.py")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(r"#\s*(TODO|FIXME|XXX)\b(?!\(\w+\))", line)
    ]
    assert found == []
