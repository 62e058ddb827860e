"""The users' file: JSON that people may edit; a change is seen by the next request, a mistake keeps the old content.

    {"domains": [{"id": "default", "name": "Default"}],
     "projects": [{"id": "...", "name": "demo", "domain_id": "default"}],
     "roles": [{"id": "...", "name": "member"}],
     "users": [{"id": "...", "name": "demo", "domain_id": "default", "default_project_id": "...",
                "password_hash": "$scrypt$...",  (or "password": "as you type it")
                "roles": [{"role": "member", "project": "demo"}, {"role": "admin", "system": "all"}]}]}

Roles, projects and domains are named by id or by name.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from oslo_log import log as logging

from nova_lite import concurrency, exception
from nova_lite.embedded import files
from nova_lite.embedded.identity import passwords
from nova_lite.embedded.identity.directory import Assignment, Directory, Domain, Project, Role, User

LOG = logging.getLogger(__name__)

Noun = TypeVar("Noun", Domain, Project, Role, User)

_TYPES: dict[str, Any] = {"str": str, "bool": bool, "str | None": (str, type(None))}


def parse(text: str) -> Directory:
    """The directory that the text describes.

    :raises ValueError: it is not JSON, lacks something or names what does not exist; says what.
    """
    content = json.loads(text)
    if not isinstance(content, dict):
        raise ValueError("the file must be a JSON object")
    domains = [_noun(Domain, row) for row in _rows(content, "domains")]
    projects = [_noun(Project, row) for row in _rows(content, "projects")]
    roles = [_noun(Role, row) for row in _rows(content, "roles")]
    user_rows = _rows(content, "users")
    users = [_user(row) for row in user_rows]
    for kind, nouns in (("domain", domains), ("project", projects), ("role", roles), ("user", users)):
        _check_distinct(kind, nouns)
    ids = {"project": _ids(projects), "domain": _ids(domains), "role": _ids(roles)}
    known = {domain.id for domain in domains}
    placed = [(each.name, each.domain_id) for each in projects] + [(each.name, each.domain_id) for each in users]
    for name, domain_id in placed:
        if domain_id not in known:
            raise ValueError(f"{name}: there is no domain with the id {domain_id!r}")
    assignments = [_assignment(row, grant, ids) for row in user_rows for grant in _rows(row, "roles", optional=True)]
    return Directory(domains, projects, roles, users, assignments)


def _ids(nouns: Sequence[Noun]) -> dict[str, str]:
    """Ids by name and by id."""
    return {key: each.id for each in nouns for key in (each.name, each.id)}


def _rows(content: dict[str, Any], key: str, optional: bool = False) -> list[dict[str, Any]]:
    rows = content.get(key, [] if optional else None)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError(f"{key!r} must be a list of objects")
    return rows


def _noun(cls: type[Noun], row: dict[str, Any]) -> Noun:
    values = {}
    for field in dataclasses.fields(cls):
        if field.name not in row:
            continue
        if not isinstance(row[field.name], _TYPES[str(field.type)]):
            raise ValueError(f"{field.name!r} of {row.get('name')!r} must be of type {field.type}")
        values[field.name] = row[field.name]
    if not values.get("id") or not values.get("name"):
        raise ValueError(f"each {cls.__name__.lower()} needs an 'id' and a 'name'")
    return cls(**values)


def _user(row: dict[str, Any]) -> User:
    user = _noun(User, row)
    if "password" in row:
        if not isinstance(row["password"], str) or not row["password"]:
            raise ValueError(f"'password' of {user.name!r} must be text")
        return dataclasses.replace(user, password_hash=passwords.hashed(row["password"]))
    try:
        passwords.check_stored(user.password_hash)
    except ValueError as error:
        raise ValueError(f"'password_hash' of {user.name!r}: {error}") from None
    return user


def _check_distinct(kind: str, nouns: list[Any]) -> None:
    seen: set[Any] = set()
    for each in nouns:
        for key in (each.id, (getattr(each, "domain_id", None), each.name.lower())):
            if key in seen:
                raise ValueError(f"the {kind} {each.name!r} is there twice")
            seen.add(key)


def _assignment(row: dict[str, Any], grant: dict[str, Any], ids: dict[str, dict[str, str]]) -> Assignment:
    target = {key: grant[key] for key in ("project", "domain", "system") if key in grant}
    if len(target) != 1:
        raise ValueError(f"each role of {row['name']!r} needs one of 'project', 'domain' or 'system'")
    found = {}
    for kind in ("role", *(key for key in target if key != "system")):
        if grant.get(kind) not in ids[kind]:
            raise ValueError(f"{row['name']!r} has a role with an unknown {kind}: {grant.get(kind)!r}")
        found[f"{kind}_id"] = ids[kind][grant[kind]]
    return Assignment(user_id=row["id"], **found)


class UsersFile:
    """The directory as the file says it now.

    :raises ConfigInvalid: the file cannot be read, at the start only.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = concurrency.Lock()
        try:
            self._seen = self._mark()
            self._directory = parse(path.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise exception.ConfigInvalid(detail=f"The users' file {path} is unusable: {error}") from error

    def _mark(self) -> tuple[int, int, int]:
        status = os.stat(self._path)
        return (status.st_mtime_ns, status.st_size, status.st_ino)

    def current(self) -> Directory:
        """The newest content that made sense."""
        try:
            mark = self._mark()
        except OSError:
            return self._directory
        if mark != self._seen:
            with self._lock:
                self._reload(mark)
        return self._directory

    def change(self, edit: Callable[[dict[str, Any]], None]) -> Directory:
        """Let ``edit`` change the file's content; on the disk, and seen by everybody, before this returns.

        What people wrote into the file beside stays. Whatever ``edit`` raises leaves everything as it was.

        :raises Unavailable: the file says nothing sensible at present: somebody is editing it.
        """
        with self._lock:
            try:
                content = json.loads(self._path.read_text("utf-8"))
                parse(json.dumps(content))
            except (OSError, ValueError) as error:
                LOG.error("The users' file %s cannot be changed as it is: %s", self._path, error)
                raise exception.Unavailable("The users' file is being edited.") from None
            edit(content)
            directory = parse(json.dumps(content))
            files.replace_private(self._path, json.dumps(content, indent=2).encode() + b"\n")
            self._directory, self._seen = directory, self._mark()
        return directory

    def _reload(self, mark: tuple[int, int, int]) -> None:
        if mark == self._seen:
            return
        self._seen = mark
        try:
            self._directory = parse(self._path.read_text("utf-8"))
            LOG.info("The users' file %s was read again", self._path)
        except (OSError, ValueError) as error:
            LOG.error("The users' file %s stays as it was read before: %s", self._path, error)
