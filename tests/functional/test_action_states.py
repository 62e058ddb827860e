"""Every action in every state, over the REST API: allowed exactly where the contract allows it, else its very words.

The cells are generated from the contract's table (states.md, section 2): action x vm_state x task_state, whether the
server ever ran, and the lock. States are written into the database; nobody works on what is accepted.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from nova_lite import clock
from nova_lite.compute.task_states import TaskState
from nova_lite.compute.vm_states import VmState
from nova_lite.db.api import instances, operations
from tests.harness.cloud import ADMIN, IMAGE_ID, Cloud
from tests.harness.contract import material, states
from tests.harness.roles import Callers

pytestmark = pytest.mark.answers

try:
    LEGAL = states.legality()
except material.ContractMissing as error:
    pytest.skip(str(error), allow_module_level=True)

UNKNOWN = "11111111-2222-3333-4444-555555555555"
OTHER = "22222222-2222-3333-4444-555555555555"
STATES = [state for state in VmState if state is not VmState.DELETED]
TASKS: list[str | None] = [None, *TaskState]


@dataclass(frozen=True)
class Request:
    """``allowed``: answers that prove that the state did not forbid it, the second because what it names is missing."""

    method: str
    path: str
    body: Any = None
    allowed: tuple[int, ...] = (202,)


def _action(key: str, value: Any = None, *allowed: int) -> Request:
    return Request("POST", "/servers/{id}/action", {key: value}, allowed or (202,))


_VOLUMES = "/servers/{id}/os-volume_attachments"
_MIGRATIONS = "/servers/{id}/migrations"
_BACKUP = {"name": "b", "backup_type": "daily", "rotation": 1}

REQUESTS: dict[str, Request] = {
    "os-start": _action("os-start"),
    "os-stop": _action("os-stop"),
    "reboot SOFT": _action("reboot", {"type": "SOFT"}),
    "reboot HARD": _action("reboot", {"type": "HARD"}),
    "rebuild": _action("rebuild", {"imageRef": IMAGE_ID}),
    "resize": _action("resize", {"flavorRef": "1"}),
    "migrate": _action("migrate"),
    "confirmResize": _action("confirmResize", None, 204, 400),
    "revertResize": _action("revertResize", None, 202, 400),
    "pause": _action("pause"),
    "unpause": _action("unpause"),
    "suspend": _action("suspend"),
    "resume": _action("resume"),
    "rescue": _action("rescue", None, 200),
    "unrescue": _action("unrescue"),
    "shelve": _action("shelve"),
    "shelveOffload": _action("shelveOffload"),
    "unshelve": _action("unshelve"),
    "createImage": _action("createImage", {"name": "i"}),
    "createBackup": _action("createBackup", _BACKUP),
    "changePassword": _action("changePassword", {"adminPass": "secret"}),
    "trigger_crash_dump": _action("trigger_crash_dump"),
    "os-migrateLive": _action("os-migrateLive", {"host": None, "block_migration": "auto"}),
    "evacuate": _action("evacuate", {}, 200),
    "restore": _action("restore"),
    "forceDelete": _action("forceDelete"),
    "DELETE server": Request("DELETE", "/servers/{id}", None, (204,)),
    "attach volume": Request("POST", _VOLUMES, {"volumeAttachment": {"volumeId": UNKNOWN}}, (404,)),
    "detach volume": Request("DELETE", f"{_VOLUMES}/{UNKNOWN}", None, (404,)),
    # Another volume than the path's: the same one would be a change of the attachment, which no state forbids.
    "swap volume": Request("PUT", f"{_VOLUMES}/{UNKNOWN}", {"volumeAttachment": {"volumeId": "0" + UNKNOWN[1:]}},
                           (404,)),
    "attach interface": Request("POST", "/servers/{id}/os-interface", {"interfaceAttachment": {"net_id": UNKNOWN}},
                                (400, 404)),
    "detach interface": Request("DELETE", f"/servers/{{id}}/os-interface/{UNKNOWN}", None, (404,)),
    "metadata write": Request("POST", "/servers/{id}/metadata", {"metadata": {"key": "value"}}, (200,)),
    "metadata delete": Request("DELETE", "/servers/{id}/metadata/key", None, (204,)),
    "force_complete": Request("POST", f"{_MIGRATIONS}/999999/action", {"force_complete": None}, (400,)),
    "abort migration": Request("DELETE", f"{_MIGRATIONS}/999999", None, (404,)),
    "tags write": Request("PUT", "/servers/{id}/tags/new", None, (201,)),
}  # fmt: skip
NEEDS_NO_LAUNCH = {"DELETE server", "forceDelete", "tags write"}
# states.md, corrections: while shelved_offloaded these miss the host before they mind the state.
NOT_READY = {"os-start", "os-stop", "trigger_crash_dump"}
LOCKED_IN_THIRD_WORDING = {"changePassword", "restore"}
SAME_HOST = "The target host can't be the same one."


class Subject:
    """One server whose row is put into any state; ``callers`` asks things of it."""

    def __init__(self, cloud: Cloud) -> None:
        self.uuid = str(cloud.boot(name="subject", metadata={"key": "value"})["id"])
        row = instances.get(self.uuid)
        self._home = {"host": row.host, "node": row.node}
        self.callers = Callers(cloud.compute)

    def become(self, vm_state: str, task: str | None, launched: bool = True, locked: bool = False) -> None:
        away = vm_state == VmState.SHELVED_OFFLOADED
        operations.end_open(self.uuid, "the next cell")
        instances.update_if(
            self.uuid,
            {
                "vm_state": vm_state, "task_state": task, "launched_at": clock.utcnow() if launched else None,
                "locked": locked, "locked_by": "owner" if locked else None, "metadata": {"key": "value"}, "tags": (),
                **(dict.fromkeys(self._home) if away else self._home),
            },
        )  # fmt: skip

    def ask(self, action: str, role: str = "admin") -> tuple[int, str]:
        request = REQUESTS[action]
        status, body = self.callers.ask(role, request.method, request.path.format(id=self.uuid), request.body)
        fault = next(iter(body.values())) if status >= 400 else None
        return status, fault["message"] if isinstance(fault, dict) else str(fault or "")


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    # Nobody may take the host for dead, although it will not answer any more.
    options = {"operations": {"service_down_s": 36_000.0}}
    with Cloud(tmp_path_factory.mktemp("action-states"), hosts=1, options=options) as running:
        yield running


@pytest.fixture(scope="module")
def subject(cloud: Cloud) -> Subject:
    found = Subject(cloud)
    for name in list(cloud.services):
        cloud.stop(name)
    return found


@pytest.fixture
def host_down(cloud: Cloud, request: pytest.FixtureRequest) -> Iterator[None]:
    """Only evacuate needs it."""
    if request.getfixturevalue("action") != "evacuate":
        yield
        return
    (service,) = cloud.get("/os-services?binary=nova-compute", token=ADMIN).json["services"]
    path = f"/os-services/{service['id']}"
    assert cloud.request("PUT", path, {"forced_down": True}, token=ADMIN).status == 200
    yield
    assert cloud.request("PUT", path, {"forced_down": False}, token=ADMIN).status == 200


def _refusal(action: str, uuid: str, vm_state: str, task: str | None, launched: bool) -> tuple[int, str] | None:
    """What the contract answers in this cell; None where it is allowed."""
    legal = LEGAL[action]
    if vm_state == VmState.SHELVED_OFFLOADED and action in NOT_READY:
        return 409, f"Instance {uuid} is not ready"
    if vm_state == VmState.SHELVED_OFFLOADED and action == "evacuate":
        return 400, SAME_HOST
    if vm_state not in legal.vm_states:
        return 409, f"Cannot '{legal.verb}' instance {uuid} while it is in vm_state {vm_state}"
    if legal.tasks is not None and (task or "none") not in legal.tasks:
        if task is None:  # there is no word for it: the correction about unknown migrations shows it
            return 409, f"Instance {uuid} is in an invalid state for '{legal.verb}'"
        return 409, f"Cannot '{legal.verb}' instance {uuid} while it is in task_state {task}"
    if not launched and action not in NEEDS_NO_LAUNCH:
        return 409, f"Instance {uuid} is in an invalid state for '{legal.verb}'"
    return None


def _agrees(action: str, expected: tuple[int, str] | None, answer: tuple[int, str]) -> bool:
    if expected is None:
        return answer[0] in REQUESTS[action].allowed
    if action == "tags write":  # "text varies"
        return answer[0] == expected[0] and answer[1].endswith(expected[1].partition("' ")[2])
    return answer == expected


def _cells(action: str, seed: int) -> list[tuple[str, str | None, bool]]:
    """vm_state, task, launched. Where the task cannot matter, a few at random show that."""
    chance = random.Random(f"{action} {seed}")
    legal = LEGAL[action]
    found: list[tuple[str, str | None, bool]] = []
    for vm_state in STATES:
        matters = vm_state in legal.vm_states and legal.tasks is not None
        tasks = TASKS if matters else [None, *chance.sample(TASKS, 3)]
        found += [(str(vm_state), task, True) for task in tasks]
        found.append((str(vm_state), None, False))
    return found


@pytest.mark.parametrize("action", REQUESTS)
@pytest.mark.usefixtures("host_down")
def test_allowed_exactly_where_the_contract_says(subject: Subject, action: str) -> None:
    seed = random.randrange(1_000_000)
    print(f"seed {seed}")
    wrong = []
    for vm_state, task, launched in _cells(action, seed):
        subject.become(vm_state, task, launched)
        expected = _refusal(action, subject.uuid, vm_state, task, launched)
        answer = subject.ask(action)
        if not _agrees(action, expected, answer):
            wrong.append(f"{vm_state}/{task}{'' if launched else ' never launched'}: {answer}, not {expected}")
        if expected is not None and (instances.get(subject.uuid).task_state, operations_of(subject)) != (task, []):
            wrong.append(f"{vm_state}/{task}: refused, and yet something was left")
    assert not wrong, f"{len(wrong)} cells, seed {seed}:\n" + "\n".join(wrong[:20])


def operations_of(subject: Subject) -> list[Any]:
    return operations.open_for_instance(subject.uuid)


@pytest.mark.parametrize("action", REQUESTS)
@pytest.mark.usefixtures("host_down")
def test_a_lock_stops_what_the_contract_says_and_no_administrator(subject: Subject, action: str) -> None:
    legal = LEGAL[action]
    state = min(legal.vm_states)
    task = None if legal.tasks is None or "none" in legal.tasks else min(legal.tasks)
    subject.become(state, task, locked=True)
    status, message = subject.ask(action, "manager")
    if not legal.lock_stops:
        # 403 is a call that is for administrators only, whom no lock stops
        assert status == 403 or status in REQUESTS[action].allowed, message
    elif status != 403:
        third = f"Instance {subject.uuid} is in an invalid state for '{legal.verb}'"
        locked = third if action in LOCKED_IN_THIRD_WORDING else f"Instance {subject.uuid} is locked"
        assert (status, message) == (409, locked)
        assert not operations_of(subject)
    subject.become(state, task, locked=True)
    assert subject.ask(action)[0] in REQUESTS[action].allowed
    # The lock is judged before the state.
    forbidden = next((each for each in STATES if each not in legal.vm_states), None)
    if legal.lock_stops and status != 403 and forbidden is not None:
        subject.become(str(forbidden), None, locked=True)
        assert subject.ask(action, "manager") == (409, locked)


def test_every_action_of_the_contract_is_asked() -> None:
    assert set(REQUESTS) == set(LEGAL)
