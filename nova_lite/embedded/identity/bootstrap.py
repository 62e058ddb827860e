"""The first start: users, projects and roles with random passwords, and the keys."""

from __future__ import annotations

import json
import secrets
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nova_lite import exception
from nova_lite.embedded import files
from nova_lite.embedded.identity import passwords

USERS, CREDENTIALS, KEY, REVOKED = "users.json", "credentials.json", "token.key", "revoked.json"

# user -> project, description, roles there
_PEOPLE: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "admin": ("admin", "The cloud's administrator", ("admin",)),
    "demo": ("demo", "An ordinary user", ("member", "reader")),
    "nova": ("service", "nova-lite itself", ("service", "admin")),
}
_ROLES = ("admin", "manager", "member", "reader", "service")


@dataclass(frozen=True)
class IdentityFiles:
    """Where the identity service keeps its state, and the passwords it made up, by user name."""

    directory: Path
    passwords: dict[str, str]

    @property
    def users(self) -> Path:
        return self.directory / USERS

    @property
    def key(self) -> Path:
        return self.directory / KEY

    @property
    def revoked(self) -> Path:
        return self.directory / REVOKED


def prepare(directory: Path) -> IdentityFiles:
    """Make whatever is missing; what is there stays.

    :raises ConfigInvalid: a file is there but unusable.
    """
    files.private_dir(directory)
    credentials = files.create_once(directory / CREDENTIALS, _new_credentials)
    try:
        known = {str(name): str(password) for name, password in json.loads(credentials).items()}
    except (ValueError, AttributeError) as error:
        raise exception.ConfigInvalid(detail=f"{directory / CREDENTIALS} is unusable: {error}") from error
    files.create_once(directory / USERS, lambda: _new_users(known))
    key = files.create_once(directory / KEY, lambda: secrets.token_hex(32).encode() + b"\n")
    if len(key.strip()) < 32:
        raise exception.ConfigInvalid(detail=f"{directory / KEY} is no key: remove it to have a new one made.")
    for name in (CREDENTIALS, USERS, KEY):
        (directory / name).chmod(0o600)
    return IdentityFiles(directory, known)


def _new_credentials() -> bytes:
    return _json({name: passwords.generate() for name in _PEOPLE})


def _new_users(known: dict[str, str]) -> bytes:
    projects = {project: uuid.uuid4().hex for project, _, _ in _PEOPLE.values()}
    return _json(
        {
            "domains": [{"id": "default", "name": "Default", "description": "The default domain"}],
            "projects": [
                {"id": ident, "name": name, "domain_id": "default", "description": f"Project of {name}"}
                for name, ident in projects.items()
            ],
            "roles": [{"id": uuid.uuid4().hex, "name": name} for name in _ROLES],
            "users": [_new_user(name, projects, known.get(name) or passwords.generate()) for name in _PEOPLE],
        }
    )


def _new_user(name: str, projects: dict[str, str], password: str) -> dict[str, Any]:
    project, description, roles = _PEOPLE[name]
    grants = [{"role": role, "project": project} for role in roles]
    if name == "admin":
        grants += [{"role": "admin", "system": "all"}, {"role": "admin", "domain": "default"}]
    return {
        "id": uuid.uuid4().hex,
        "name": name,
        "domain_id": "default",
        "description": description,
        "default_project_id": projects[project],
        "password_hash": passwords.hashed(password),
        "roles": grants,
    }


def _json(value: Any) -> bytes:
    return json.dumps(value, indent=2).encode() + b"\n"
