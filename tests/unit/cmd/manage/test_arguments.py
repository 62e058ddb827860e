"""What operators may write, and what is refused before anybody is asked."""

from __future__ import annotations

import uuid

import pytest

from nova_lite.cmd.manage import audit, program
from nova_lite.db.api import instances
from tests.harness.database import fresh_database, make_instance


@pytest.mark.parametrize("verb", ["show", "retry", "cancel"])
@pytest.mark.parametrize("number", ["99999999999999999999999", str(2**63), "0", "-1", "abc", "1.5", "nan"])
def test_an_operations_number_is_one_that_a_database_can_have(
    verb: str, number: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        program.parser().parse_args(["operation", verb, number])
    assert caught.value.code == 2 and "argument id" in capsys.readouterr().err
    assert program.parser().parse_args(["operation", verb, str(2**63 - 1)]).id == 2**63 - 1


@pytest.mark.parametrize("number", ["-5", "0", "99999999999999999999999"])
def test_a_limit_is_a_number_of_rows(number: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        program.parser().parse_args(["operation", "list", "--limit", number])
    assert caught.value.code == 2 and "--limit" in capsys.readouterr().err


@pytest.mark.parametrize("seconds", ["nan", "-1", "inf", "1e400", "3601", "soon"])
def test_an_audit_does_not_wait_for_ever(seconds: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        program.parser().parse_args(["audit", f"--settle={seconds}"])
    assert caught.value.code == audit.BAD_INPUT and "--settle" in capsys.readouterr().err
    assert program.parser().parse_args(["audit", "--settle", "0"]).settle == 0


@pytest.mark.parametrize("written", [str, lambda ident: str(ident).upper(), lambda ident: ident.hex])
def test_a_server_is_known_however_its_id_is_written(written: object) -> None:
    assert callable(written)
    with fresh_database():
        server = instances.insert(make_instance("vm"))
        args = program.parser().parse_args(["audit", "--server", written(uuid.UUID(server.uuid))])
        audit.check(args)
        assert args.server == server.uuid
