"""PATCH: what may be changed, how, and that a refused patch changes nothing."""

from __future__ import annotations

import pytest


def op(verb, path, value=...):
    return {"op": verb, "path": path} | ({} if value is ... else {"value": value})


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        ([op("replace", "/name", "new")], {"name": "new"}),
        ([op("add", "/name", None)], {"name": None}),
        ([op("add", "/custom", "1"), op("replace", "/custom", "2")], {"custom": "2"}),
        ([op("add", "/a~1b~0c", "x")], {"a/b~c": "x"}),
        ([op("replace", "/tags", ["b", "a", "b"])], {"tags": ["a", "b"]}),
        (
            [op("add", "/tags/-", "z"), op("add", "/tags/0", "y"), op("replace", "/tags/1", "w")],
            {"tags": ["w", "y", "z"]},
        ),
        ([op("remove", "/tags/0")], {"tags": []}),
        ([op("replace", "/min_disk", 2), op("replace", "/min_ram", 3)], {"min_disk": 2, "min_ram": 3}),
        ([op("replace", "/visibility", "community"), op("add", "/os_hidden", True)], {"visibility": "community"}),
        ([op("replace", "/disk_format", "qcow2")], {"disk_format": "qcow2"}),
        ([{"add": "/old", "value": "style"}], {"old": "style"}),
        ([], {}),
    ],
)
def test_changes(images, operations, expected):
    image = images.create(tags=["t"], prop="p")
    answer = images.patch(image["id"], operations)
    assert answer.status_int == 200, answer.text
    assert expected.items() <= answer.json.items() and answer.json["prop"] == "p"
    images.restart()
    assert images.show(image["id"]) == answer.json


@pytest.mark.parametrize(
    ("operation", "status"),
    [
        (op("remove", "/missing"), 409), (op("replace", "/missing", "x"), 409), (op("remove", "/name"), 403),
        (op("remove", "/size"), 403), (op("replace", "/status", "active"), 403), (op("add", "/id", "x"), 403),
        (op("add", "/locations", []), 403), (op("add", "/locations/-", {}), 400), (op("replace", "/owner", "x"), 403),
        (op("replace", "/visibility", "public"), 403), (op("replace", "/name", 5), 400), (op("add", "/x", 5), 400),
        (op("add", "/x"), 400), (op("move", "/x", "y"), 400), (op("test", "/name", "y"), 400),
        (op("add", "x", "y"), 400), (op("add", "/", "y"), 400), (op("add", "/a/b", "y"), 400),
        (op("replace", "/tags/9", "y"), 400),
        (op("remove", "/tags/-"), 400), (op("add", "/tags/x", "y"), 400), (op("add", "/tags/-", 1), 400), ("add", 400),
        ({}, 400), (op(["add"], "/x", "y"), 400), (op("add", 5, "y"), 400),
    ],
)  # fmt: skip
def test_a_refused_operation_changes_nothing(images, operation, status):
    image = images.create(tags=["t"], prop="p")
    answer = images.patch(image["id"], [op("add", "/first", "done"), operation])
    assert answer.status_int == status, answer.text
    assert images.show(image["id"]) == image


def test_the_administrator_publishes_and_gives_away(images):
    ident = images.create()["id"]
    operations = [op("replace", "/visibility", "public"), op("replace", "/owner", "other")]
    assert images.patch(ident, operations, who="admin").status_int == 200
    assert images.show(ident, "stranger")["owner"] == "other"


def test_formats_are_fixed_once_there_is_data(images):
    ident = images.active()["id"]
    assert images.patch(ident, [op("replace", "/disk_format", "qcow2")]).status_int == 403
    assert images.patch(ident, [op("replace", "/disk_format", "raw")]).status_int == 200


def test_too_much_is_refused(images):
    ident = images.create()["id"]
    assert images.patch(ident, [op("add", f"/p{i}", "x") for i in range(129)]).status_int == 413
    assert images.patch(ident, [op("add", "/p", "x")] * 501).status_int == 400
    assert images.patch(ident, {}).status_int == 400
    assert images.request("PATCH", f"/v2/images/{ident}", []).status_int == 415
