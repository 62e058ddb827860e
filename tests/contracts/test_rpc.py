"""Wire doors fit the managers behind them: same verbs, same arguments, same types; and the message is the verb."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import textwrap
from typing import Any

import pytest

from nova_lite.manager import RESERVED, Manager
from nova_lite.rpc import Client
from tests.harness import verbs

SERVICES = ("compute", "conductor", "scheduler")
# Answered by every server, see rpc.py.
EVERYWHERE = {"ping"}


def _door(service: str) -> type[Any]:
    """The class of <service>/rpcapi.py."""
    module = importlib.import_module(f"nova_lite.{service}.rpcapi")
    classes = [each for _, each in inspect.getmembers(module, inspect.isclass) if each.__module__ == module.__name__]
    (found,) = [each for each in classes if _public(each)]
    return found


def _manager(service: str) -> type[Manager]:
    module = importlib.import_module(f"nova_lite.{service}.manager")
    (found,) = [
        each for _, each in inspect.getmembers(module, inspect.isclass)
        if issubclass(each, Manager) and each.__module__ == module.__name__
    ]  # fmt: skip
    return found


def _public(cls: type[Any]) -> dict[str, Any]:
    return {name: each for name, each in vars(cls).items() if inspect.isfunction(each) and not name.startswith("_")}


def _verbs(service: str) -> dict[str, Any]:
    """The manager's public methods that can be called over RPC, its own and those of the halves it is made of."""
    halves = [cls for cls in reversed(_manager(service).__mro__) if issubclass(cls, Manager) and cls is not Manager]
    verbs = {name: each for cls in halves for name, each in _public(cls).items()}
    return {name: each for name, each in verbs.items() if name not in RESERVED}


def _arguments(function: Any) -> dict[str, str]:
    """Names and types after self and the context."""
    parameters = list(inspect.signature(function).parameters.values())
    assert [each.name for each in parameters[:2]] == ["self", "ctxt"], function
    return {each.name: str(each.annotation) for each in parameters[2:]}


@pytest.mark.parametrize("service", SERVICES)
def test_every_message_has_a_verb_with_the_same_arguments(service: str) -> None:
    verbs = _verbs(service)
    complaints = []
    for name, sends in _public(_door(service)).items():
        if name in EVERYWHERE:
            continue
        if name not in verbs:
            complaints.append(f"{service}.rpcapi.{name}: the manager has no such verb")
            continue
        asked, sent = _arguments(verbs[name]), _arguments(sends)
        if "host" not in asked:  # then it is the address, not an argument
            sent.pop("host", None)
        if asked != sent:
            complaints.append(f"{service}.{name}: rpcapi sends {sent}, manager takes {asked}")
        answer, result = (str(inspect.signature(each).return_annotation) for each in (sends, verbs[name]))
        if answer not in (result, "None"):
            complaints.append(f"{service}.{name}: rpcapi answers {answer}, manager {result}")
    assert complaints == []


@pytest.mark.parametrize("service", SERVICES)
def test_every_verb_has_a_message(service: str) -> None:
    assert sorted(_verbs(service).keys() - _public(_door(service)).keys()) == []


@pytest.mark.parametrize("service", SERVICES)
def test_the_message_is_the_method(service: str) -> None:
    """Its name goes out as it is, with every argument under its own name."""
    for name, function in _public(_door(service)).items():
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
        calls = [
            node for node in ast.walk(tree)
            if isinstance(node, ast.Call) and any(isinstance(a, ast.Constant) and a.value == name for a in node.args)
        ]  # fmt: skip
        assert len(calls) == 1, f"{service}.rpcapi.{name} sends something else"
        passed = {word.arg: ast.unparse(word.value) for word in calls[0].keywords}
        for argument in _arguments(function):
            assert passed.get(argument) == argument, f"{service}.rpcapi.{name} does not send {argument}"


@pytest.mark.parametrize("service", SERVICES)
def test_no_argument_is_taken_for_an_address(service: str) -> None:
    """The client's own words (host, timeout_s ...) never arrive at the verb."""
    own = set(inspect.signature(Client.call).parameters) | set(inspect.signature(Client.cast).parameters)
    taken = {name: sorted(_arguments(verb).keys() & own) for name, verb in _verbs(service).items()}
    assert {name: words for name, words in taken.items() if words} == {}


@pytest.mark.parametrize("service", SERVICES)
def test_one_version_a_topic_with_its_history(service: str) -> None:
    module = importlib.import_module(f"nova_lite.{service}.rpcapi")
    assert service == module.TOPIC
    assert module.VERSION in (module.__doc__ or ""), "the module says what each version brought"


def test_who_speaks_as_before_is_understood() -> None:
    """Verbs and arguments of the same major version stay; what came has defaults, new verbs a higher version."""
    kept = json.loads(verbs.FILE.read_text(encoding="utf-8"))
    assert verbs.complaints(kept, verbs.current()) == [], "raise VERSION; before a release: verbs --unreleased"


def test_what_a_neighbour_would_stumble_over_is_seen() -> None:
    now = {"compute": {"version": "1.4", "verbs": {"pause": {"uuid": False, "hard": True}, "warp": {}}}}
    was: dict[str, Any] = {"compute": {"version": "1.3", "verbs": {"pause": {"uuid": False}}}}
    assert verbs.complaints(was, now) == []
    assert verbs.complaints({"compute": {**was["compute"], "version": "1.4"}}, now) == [
        "compute: warp came, VERSION is still 1.4"
    ]
    for arguments, word in (({"gone": False, "uuid": False}, "gone is gone"), ({}, "uuid came and has no default")):
        stumbling = {"compute": {"version": "1.3", "verbs": {"pause": arguments, "stop": {}}}}
        assert verbs.complaints(stumbling, now) == [
            f"compute.pause: {word}", "compute.stop: is gone, and the major version is the same"
        ]  # fmt: skip
    assert verbs.complaints({"compute": {"version": "0.9", "verbs": {"stop": {}}}}, now) == []
