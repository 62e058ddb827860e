"""Edits of the users' file's content: a project, a user or a role more or less, and what follows from it.

Pure: each function changes the dictionary it is given, which :meth:`UsersFile.change` keeps.
"""

from __future__ import annotations

import uuid
from typing import Any

from nova_lite import exception

Content = dict[str, Any]
Row = dict[str, Any]


def add(content: Content, kind: str, row: Row) -> str:
    """A project or a user; its new id.

    :raises Conflict: its domain has one of that name.
    :raises Invalid: there is no such domain.
    """
    _check_domain(content, row)
    _check_name(content, kind, row)
    ident = uuid.uuid4().hex
    content[f"{kind}s"].append({"id": ident, **row})
    return ident


def update(content: Content, kind: str, ident: str, values: Row) -> None:
    """
    :raises NotFound: there is no such project or user.
    :raises Conflict: its domain has another one of that name.
    """
    row = _find(content, kind, ident)
    _check_name(content, kind, {**row, **values}, ident)
    if "password_hash" in values:
        row.pop("password", None)
    row.update(values)


def remove(content: Content, kind: str, ident: str) -> None:
    """Take it away, and the roles that were on it.

    :raises NotFound: there is no such project or user.
    """
    row = _find(content, kind, ident)
    content[f"{kind}s"].remove(row)
    if kind == "project":
        names = _names(content, "project", row)
        for user in content["users"]:
            user["roles"] = [each for each in user.get("roles", []) if each.get("project") not in names]


def grant(content: Content, user_id: str, role_id: str, target: tuple[str, str]) -> None:
    """Give the user the role there; once is enough.

    :raises NotFound: user, role or target is unknown.
    """
    user, wanted = _grant(content, user_id, role_id, target)
    if wanted is None:
        kind, ident = target
        user.setdefault("roles", []).append({"role": role_id, kind: ident})


def withdraw(content: Content, user_id: str, role_id: str, target: tuple[str, str]) -> None:
    """
    :raises NotFound: the user has no such role there, or anything of it is unknown.
    """
    user, found = _grant(content, user_id, role_id, target)
    if found is None:
        raise exception.NotFound(f"Could not find role assignment with role: {role_id:.64}, user: {user_id:.64}.")
    user["roles"].remove(found)


def _grant(content: Content, user_id: str, role_id: str, target: tuple[str, str]) -> tuple[Row, Row | None]:
    """The user, and the line of the file that gives the role, by whatever names it says so."""
    user, role = _find(content, "user", user_id), _find(content, "role", role_id)
    kind, ident = target
    places = {"all"} if kind == "system" else _names(content, kind, _find(content, kind, ident))
    roles = {role["id"], role["name"]}
    for each in user.get("roles", []):
        if each.get("role") in roles and each.get(kind) in places:
            return user, each
    return user, None


def _names(content: Content, kind: str, row: Row) -> set[str]:
    """How a grant may call the row; a name that another row has, too, is that one's."""
    others = {each["name"] for each in content[f"{kind}s"] if each is not row and each["id"] != row["id"]}
    return {row["id"], row["name"]} - others


def _find(content: Content, kind: str, ident: str) -> Row:
    for row in content[f"{kind}s"]:
        if row["id"] == ident:
            return dict(row) if kind in ("role", "domain") else row
    raise exception.NotFound(f"Could not find {kind}: {ident:.64}.")


def _check_domain(content: Content, row: Row) -> None:
    if row["domain_id"] not in {each["id"] for each in content["domains"]}:
        raise exception.Invalid(f"Could not find domain: {row['domain_id']:.64}.")


def _check_name(content: Content, kind: str, row: Row, own: str | None = None) -> None:
    for each in content[f"{kind}s"]:
        same = (each.get("domain_id", "default"), each["name"].lower()) == (row["domain_id"], row["name"].lower())
        if same and each["id"] != own:
            raise exception.Conflict(
                f"Conflict occurred attempting to store {kind} - Duplicate entry found with name {row['name']:.64}."
            )
