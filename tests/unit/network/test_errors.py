"""The network service's answers as errors of ours."""

from __future__ import annotations

import json
from typing import Any

import pytest

from nova_lite import exception
from nova_lite.network import errors
from nova_lite.network.neutron import Neutron, checked_id


class _Response:
    def __init__(self, status: int, body: Any) -> None:
        self.status_code = status
        self.content = body if isinstance(body, bytes) else json.dumps(body).encode()

    def json(self) -> Any:
        return json.loads(self.content)


def _named(kind: str, message: str = "Because.") -> dict[str, Any]:
    return {"NeutronError": {"type": kind, "message": message, "detail": ""}}


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (400, _named("InvalidInput"), exception.Invalid, "Because."),
        (400, b"<html>", exception.Invalid, "status 400"),
        (403, _named("PolicyNotAuthorized"), exception.Forbidden, "Because."),
        (404, _named("NetworkNotFound"), errors.Gone, "Because."),
        (409, _named("OverQuota"), exception.PortLimitExceeded, "Maximum number of ports exceeded"),
        (409, _named("IpAddressGenerationFailure"), exception.Invalid, "Because."),
        (409, _named("IpAddressAlreadyAllocated"), exception.FixedIpInUse, "Because."),
        (409, _named("MacAddressInUse"), exception.Conflict, "Because."),
        (409, {"NeutronError": "old form"}, exception.Conflict, "old form"),
        (412, _named("RevisionNumberConstraintFailed"), errors.Changed, "Because."),
        (301, b"", exception.Unavailable, "answered 301"),
        (429, b"", exception.Unavailable, "answered 429"),
        (500, _named("HTTPInternalServerError"), exception.Unavailable, "answered 500"),
        (503, b"", exception.Unavailable, "answered 503"),
    ],
)
def test_an_answer_has_its_kind(status: int, body: Any, kind: type[Exception], words: str) -> None:
    error = errors.of(_Response(status, body), acts_as_user=False)
    assert type(error) is kind and words in str(error)


def test_a_401_is_the_users_only_when_its_token_was_used() -> None:
    assert isinstance(errors.of(_Response(401, b""), acts_as_user=True), exception.Unauthorized)
    assert isinstance(errors.of(_Response(401, b""), acts_as_user=False), exception.Unavailable)


@pytest.mark.parametrize("body", [b"<html>", [1], "text"])
def test_a_success_that_is_no_object_is_none(body: Any) -> None:
    with pytest.raises(exception.Unavailable, match="not JSON"):
        Neutron.answer(_Response(200, body), acts_as_user=False)
    assert Neutron.answer(_Response(204, b""), acts_as_user=False) == {}


@pytest.mark.parametrize("ident", ["../networks", "a/b", "", "x" * 65, "a?b"])
def test_ids_cannot_change_a_path(ident: str) -> None:
    with pytest.raises(exception.PortNotFound):
        checked_id(exception.PortNotFound, port_id=ident)
    assert checked_id(exception.PortNotFound, port_id="a-b_C9") == "a-b_C9"
