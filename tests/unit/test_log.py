"""No secret reaches a line of the log, whatever its form."""

from __future__ import annotations

import logging

import pytest

from nova_lite import log

CANARY = "c4n4ryS3cret"
TOKEN = "gAAAAAB" + "x" * 60


@pytest.mark.parametrize(
    "line",
    [
        f"connecting to mysql+pymysql://nova:{CANARY}@db/nova",
        f"transport_url = rabbit://user:{CANARY}@host:5672//",
        f"password={CANARY}",
        f"'password': '{CANARY}'",
        f'{{"adminPass": "{CANARY}", "name": "x"}}',
        f"{{'adminPass': '{CANARY}'}}",
        f"admin_pass = {CANARY}",
        f"X-Auth-Token: {CANARY}",
        f"{{'X-Auth-Token': '{CANARY}', 'a': 'b'}}",
        f'"x-subject-token": "{CANARY}"',
        f"Authorization: {CANARY}",
        f"auth_token={CANARY}",
        f"token {TOKEN}",
    ],
)
def test_secrets_are_masked(line: str) -> None:
    masked = log.mask(line)
    assert CANARY not in masked
    assert TOKEN not in masked
    assert log.MASKED in masked


@pytest.mark.parametrize(
    "line", ["instance 1 booted in 3.2 s", "GET /v2.1/servers 200", "http://host:8774/v2.1 answers"]
)
def test_ordinary_lines_stay(line: str) -> None:
    assert log.mask(line) == line


def test_tracebacks_are_masked_too() -> None:
    formatter = log.MaskingFormatter(logging.Formatter("%(message)s"))
    try:
        raise ValueError(f"mysql://u:{CANARY}@h/db")
    except ValueError:
        import sys

        record = logging.LogRecord(
            "x", logging.ERROR, "f", 1, "failed with %s", (f"password={CANARY}",), sys.exc_info()
        )
    text = formatter.format(record)
    assert CANARY not in text
    assert "Traceback" in text
