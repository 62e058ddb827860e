"""Who exists: domains, projects, roles, users and their roles, as one immutable snapshot of the users' file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

SYSTEM = "system"

# A role brings those after it, as in a freshly bootstrapped Keystone.
IMPLIES = {"admin": ("manager", "member", "reader"), "manager": ("member", "reader"), "member": ("reader",)}


@dataclass(frozen=True)
class Domain:
    id: str
    name: str
    description: str = ""
    enabled: bool = True


@dataclass(frozen=True)
class Project:
    id: str
    name: str
    domain_id: str = "default"
    description: str = ""
    enabled: bool = True


@dataclass(frozen=True)
class Role:
    id: str
    name: str
    description: str = ""


@dataclass(frozen=True)
class Assignment:
    """A role of a user on exactly one of a project, a domain or the whole system."""

    user_id: str
    role_id: str
    project_id: str | None = None
    domain_id: str | None = None

    @property
    def target(self) -> tuple[str, str]:
        """What the role is on, as a key."""
        if self.project_id is not None:
            return ("project", self.project_id)
        return ("domain", self.domain_id) if self.domain_id is not None else (SYSTEM, "all")


@dataclass(frozen=True)
class User:
    id: str
    name: str
    domain_id: str = "default"
    password_hash: str = field(default="", repr=False)
    default_project_id: str | None = None
    description: str = ""
    email: str | None = None
    enabled: bool = True


@dataclass(frozen=True)
class Scope:
    """What a token acts on; all fields empty is an unscoped token."""

    project_id: str | None = None
    domain_id: str | None = None
    system: bool = False

    @property
    def target(self) -> tuple[str, str] | None:
        if self.project_id is not None:
            return ("project", self.project_id)
        if self.domain_id is not None:
            return ("domain", self.domain_id)
        return (SYSTEM, "all") if self.system else None


class Directory:
    """Lookups over one snapshot; never changed after it was made."""

    def __init__(
        self,
        domains: Iterable[Domain],
        projects: Iterable[Project],
        roles: Iterable[Role],
        users: Iterable[User],
        assignments: Iterable[Assignment],
    ) -> None:
        self.domains = {domain.id: domain for domain in domains}
        self.projects = {project.id: project for project in projects}
        self.roles = {role.id: role for role in roles}
        self.users = {user.id: user for user in users}
        self.assignments = tuple(assignments)
        self._domain_names = {domain.name.lower(): domain for domain in self.domains.values()}
        self._project_names = {(each.domain_id, each.name.lower()): each for each in self.projects.values()}
        self._user_names = {(each.domain_id, each.name.lower()): each for each in self.users.values()}
        self._role_names = {role.name: role for role in self.roles.values()}
        self._granted: dict[tuple[str, tuple[str, str]], list[str]] = {}
        for each in self.assignments:
            self._granted.setdefault((each.user_id, each.target), []).append(each.role_id)

    def domain(self, domain_id: str | None, name: str | None) -> Domain | None:
        """By id, else by name."""
        if domain_id is not None:
            return self.domains.get(domain_id)
        return self._domain_names.get((name or "").lower())

    def project_named(self, name: str, domain_id: str) -> Project | None:
        return self._project_names.get((domain_id, name.lower()))

    def user_named(self, name: str, domain_id: str) -> User | None:
        return self._user_names.get((domain_id, name.lower()))

    def roles_on(self, user_id: str, target: tuple[str, str]) -> tuple[Role, ...]:
        """The user's roles there, with those they imply, each once; empty when the target is disabled."""
        if not self._is_enabled(target):
            return ()
        names: dict[str, None] = {}
        for role_id in self._granted.get((user_id, target), ()):
            name = self.roles[role_id].name
            names.update(dict.fromkeys((name, *IMPLIES.get(name, ()))))
        return tuple(self._role_names[name] for name in names if name in self._role_names)

    def _is_enabled(self, target: tuple[str, str]) -> bool:
        kind, ident = target
        if kind == "project":
            project = self.projects.get(ident)
            return project is not None and project.enabled and self._is_enabled(("domain", project.domain_id))
        if kind == "domain":
            domain = self.domains.get(ident)
            return domain is not None and domain.enabled
        return True

    def is_user_enabled(self, user_id: str) -> bool:
        user = self.users.get(user_id)
        return user is not None and user.enabled and self._is_enabled(("domain", user.domain_id))

    def projects_of(self, user_id: str) -> list[Project]:
        """Enabled projects where the user has a role."""
        return [each for each in self.projects.values() if self.roles_on(user_id, ("project", each.id))]

    def domains_of(self, user_id: str) -> list[Domain]:
        """Enabled domains where the user has a role."""
        return [each for each in self.domains.values() if self.roles_on(user_id, ("domain", each.id))]
