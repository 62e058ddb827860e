"""What each topic's messages look like at its version: the verbs and their arguments, kept to compare with.

    python -m tests.harness.verbs        writes tests/contracts/rpc_verbs.json

Neighbours of the former release send what is kept. It refuses to write what they could not send, or would not
understand, under the same version.
"""

from __future__ import annotations

import importlib
import inspect
import pathlib
import sys
from typing import Any

from nova_lite.manager import RESERVED, Manager
from tests.harness import kept

FILE = pathlib.Path(__file__).resolve().parents[1] / "contracts" / "rpc_verbs.json"
TOPICS = ("compute", "conductor", "scheduler")

# topic -> version and verb -> argument -> whether it has a default
Verbs = dict[str, dict[str, Any]]


def current() -> Verbs:
    return {
        topic: {"version": importlib.import_module(f"nova_lite.{topic}.rpcapi").VERSION, "verbs": _verbs(topic)}
        for topic in TOPICS
    }


def _verbs(topic: str) -> dict[str, dict[str, bool]]:
    """What the topic's manager can be asked, its own and that of the halves it is made of."""
    module = importlib.import_module(f"nova_lite.{topic}.manager")
    managers = [cls for _, cls in inspect.getmembers(module, inspect.isclass) if cls.__module__ == module.__name__]
    (manager,) = [cls for cls in managers if issubclass(cls, Manager)]
    names = [name for name, _ in inspect.getmembers(manager, inspect.isfunction)]
    asked = [name for name in names if not name.startswith("_") and name not in RESERVED]
    return {name: _arguments(getattr(manager, name)) for name in asked}


def _arguments(verb: Any) -> dict[str, bool]:
    """After self and the context."""
    parameters = list(inspect.signature(verb).parameters.values())[2:]
    return {each.name: each.default is not inspect.Parameter.empty for each in parameters}


def complaints(before: Verbs, now: Verbs) -> list[str]:
    """What a neighbour that speaks as was kept would stumble over, and no version says."""
    found = []
    for topic, was in before.items():
        new = now[topic]
        if was["version"].split(".")[0] != new["version"].split(".")[0]:
            continue
        for verb, arguments in was["verbs"].items():
            found += [f"{topic}.{verb}: {word}" for word in _stumbles(arguments, new["verbs"].get(verb))]
        added = sorted(new["verbs"].keys() - was["verbs"].keys())
        if added and was["version"] == new["version"]:
            found.append(f"{topic}: {', '.join(added)} came, VERSION is still {new['version']}")
    return found


def _stumbles(was: dict[str, bool], now: dict[str, bool] | None) -> list[str]:
    if now is None:
        return ["is gone, and the major version is the same"]
    gone = [f"{name} is gone" for name in was if name not in now]
    return gone + [f"{name} came and has no default" for name, has in now.items() if name not in was and not has]


if __name__ == "__main__":
    sys.exit(kept.refresh(FILE, current, complaints))
