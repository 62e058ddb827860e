from __future__ import annotations

from nova_lite.cmd.manage.answer import table


def test_table_lines_up() -> None:
    rows = [{"binary": "nova-lite-api", "host": None}, {"binary": "x", "host": "h1"}]
    assert table(rows, ("binary", "host")).splitlines() == [
        "Binary         Host",
        "nova-lite-api  -",
        "x              h1",
    ]
