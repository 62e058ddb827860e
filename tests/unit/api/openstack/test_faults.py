"""What errors tell the client, and what they leave in the log."""

from __future__ import annotations

import json
import logging

import pytest

from nova_lite import exception
from nova_lite.api.openstack import faults
from nova_lite.objects import ServerRequest
from tests.harness.compute_api import ComputeApi


def leaves() -> list[type[exception.NovaLiteError]]:
    found, todo = [], [exception.NovaLiteError]
    while todo:
        one = todo.pop()
        found.append(one)
        todo.extend(one.__subclasses__())
    return found


@pytest.mark.parametrize("kind", leaves(), ids=lambda kind: kind.__name__)
def test_every_error_of_the_tree_has_an_answer(kind: type[exception.NovaLiteError]) -> None:
    line, headers, data = faults.of(kind("sentence"))
    ((key, inner),) = json.loads(data).items()
    told = kind.status < 500 or kind.status in (501, 503)
    assert inner["code"] == int(line.split()[0]) == (kind.status if told else 500)
    assert key == (kind.key if told else "computeFault")
    assert (inner["message"] == "sentence") == told
    assert "Unknown" not in line
    assert dict(headers)["Content-Length"] == str(len(data))


def test_a_password_in_a_refused_body_is_not_logged(api: ComputeApi, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    body = {"server": {"name": "vm", "adminPass": "canary-7481"}}
    assert "canary-7481" in api("POST", "/servers", body).message
    assert "ValidationError" in caplog.text
    assert "canary-7481" not in caplog.text
    assert "canary-7481" not in repr(ServerRequest("vm", "1", admin_password="canary-7481"))


def test_a_clients_words_are_one_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    faults.of(exception.NotFound("a\nFORGED LINE\x1b[31m" + "x" * 1000))
    assert r"a\nFORGED LINE\x1b[31m" in caplog.text
    assert "x" * 300 not in caplog.text


def test_an_unexpected_error_is_logged_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    try:
        raise ValueError("detail")
    except ValueError as error:
        faults.of(error)
    assert "Traceback" in caplog.text
    assert "detail" in caplog.text


@pytest.mark.parametrize("value", ["\ud800", {"\ud800": 1}, [2**70], {5: object()}])
def test_what_json_cannot_say_is_said_somehow(value: object) -> None:
    assert json.loads(faults.dumps(value)) is not None
