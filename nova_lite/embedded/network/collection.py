"""What all nouns of the network service have in common: create, list, show, change, delete, and their tags.

A noun's own room says what is special about it by the hooks: ``prepare`` before a new record is kept, ``settle`` before
a changed one is, ``check_delete`` before it goes, ``sees`` and ``changes`` for who may.
"""

from __future__ import annotations

import re
import uuid
from typing import Any

import webob

from nova_lite.embedded import bodies
from nova_lite.embedded.network import faults, query, rules
from nova_lite.embedded.network.fields import Given
from nova_lite.embedded.network.nouns import Noun, Record
from nova_lite.embedded.network.quotas import Quotas
from nova_lite.embedded.network.rules import Caller
from nova_lite.embedded.network.store import Store
from nova_lite.embedded.wsgi import Route, empty_response, json_response

BODY_LIMIT = 1 << 20
MAX_TAGS = 50
_REVISION = re.compile(r"revision_number=([0-9]{1,18})")
_CONTENT_TYPES = ("application/json", "text/plain", "")


class Collection:
    """One noun's calls."""

    noun: Noun

    def __init__(self, store: Store, quotas: Quotas) -> None:
        self._store = store
        self._quotas = quotas

    # -- hooks ----------------------------------------------------------------------------------------

    def prepare(self, who: Caller, record: Record, given: Record) -> Record:
        """A new record, completed; ``given`` is what the client wrote."""
        return record

    def settle(self, who: Caller, old: Record, new: Record, given: Record) -> Record:
        """A changed record, completed."""
        return new

    def check_delete(self, who: Caller, record: Record) -> None:
        """Refuse, or remove what goes with it."""

    def sees(self, who: Caller, record: Record) -> bool:
        return who.owns(record)

    def changes(self, who: Caller, record: Record) -> bool:
        return who.owns(record)

    def visible(self, who: Caller, params: Any) -> list[Record]:
        """What the caller may see at all, before the query's own filters."""
        return [record for record in self._store.all(self.noun.name) if self.sees(who, record)]

    def shown(self, who: Caller, record: Record) -> Record:
        return record

    # -- calls ----------------------------------------------------------------------------------------

    def routes(self) -> list[Route]:
        path, one = self.noun.path, self.noun.path + "/{ident}"
        found = [
            Route("GET", path, self.index), Route("POST", path, self.create), Route("GET", one, self.show),
            Route("PUT", one, self.update), Route("DELETE", one, self.delete),
        ]  # fmt: skip
        if self.noun.is_tagged:
            tags = one + "/tags"
            found += [
                Route("GET", tags, self.tags), Route("PUT", tags, self.replace_tags),
                Route("DELETE", tags, self.clear_tags),
                Route("GET", tags + "/{tag}", self.tag), Route("PUT", tags + "/{tag}", self.add_tag),
                Route("DELETE", tags + "/{tag}", self.remove_tag),
            ]  # fmt: skip
        return found

    def index(self, req: webob.Request) -> webob.Response:
        who = rules.caller(req)
        shown, links = query.page(self.noun, self.visible(who, req.GET), req)
        fields = query.wanted_fields(req.GET)
        body: dict[str, Any] = {self.noun.plural: [self.view(who, record, fields) for record in shown]}
        return json_response({**body, f"{self.noun.plural}_links": links} if links else body)

    def show(self, req: webob.Request, ident: str) -> webob.Response:
        who = rules.caller(req)
        record = self.seen(who, ident)
        return json_response({self.noun.name: self.view(who, record, query.wanted_fields(req.GET))})

    def create(self, req: webob.Request) -> webob.Response:
        who = rules.caller(req)
        who.require_write("create", self.noun)
        body = _object(req)
        if self.noun.plural in body and isinstance(body[self.noun.plural], list):
            with self._store.change():
                made = [self.make(who, self._entry(each)) for each in body[self.noun.plural]]
            return json_response({self.noun.plural: [self.view(who, record) for record in made]}, status=201)
        with self._store.change():
            record = self.make(who, self._entry(body.get(self.noun.name)))
        return json_response({self.noun.name: self.view(who, record)}, status=201)

    def make(self, who: Caller, given: Record) -> Record:
        """Keep a new record; the caller holds the store's lock. Also for the service's own use."""
        rules.check_fields(who, self.noun, "create", given)
        record: Record = {"id": str(uuid.uuid4())}
        for name, field in self.noun.fields.items():
            if name in given and (given[name] is not None or field.default is None):
                record[name] = field.check(name, given[name]) if given[name] is not None else None
            elif field.default is Given:
                raise faults.invalid(
                    f"Failed to parse request. Required attribute '{name}' not specified", "HTTPBadRequest"
                )
            else:
                record[name] = field.first()
        for name, first in self.noun.readable.items():
            record[name] = first() if callable(first) else first
        record["tags"] = []
        record["project_id"] = self._owner(who, record["project_id"])
        record = self.prepare(who, record, given)
        self._quotas.check(self.noun.name, record["project_id"])
        return self._store.put(self.noun.name, record)

    def _owner(self, who: Caller, wanted: str | None) -> str:
        if wanted in (None, "", who.project_id):
            return who.project_id
        if not who.is_trusted:
            raise faults.denied(f"create_{self.noun.name}:tenant_id")
        return str(wanted)

    def update(self, req: webob.Request, ident: str) -> webob.Response:
        who = rules.caller(req)
        given = self._entry(_object(req).get(self.noun.name))
        with self._store.change():
            old = self.changeable(who, ident, "update")
            _require_revision(req, old)
            rules.check_fields(who, self.noun, "update", given)
            changes = {}
            for name, value in given.items():
                field = self.noun.fields.get(name)
                if field is None or field.fixed:
                    raise faults.invalid(f"Cannot update read-only attribute {name}", "HTTPBadRequest")
                changes[name] = field.first() if value is None else field.check(name, value)
            new = self.settle(who, old, {**old, **changes}, given)
            record = self._store.put(self.noun.name, new)
        return json_response({self.noun.name: self.view(who, record)})

    def delete(self, req: webob.Request, ident: str) -> webob.Response:
        who = rules.caller(req)
        with self._store.change():
            record = self.changeable(who, ident, "delete")
            _require_revision(req, record)
            self.check_delete(who, record)
            self._store.remove(self.noun.name, ident)
        return empty_response()

    def seen(self, who: Caller, ident: str) -> Record:
        """:raises Missing: there is none that the caller may see."""
        record = self._store.get(self.noun.name, ident)
        if not self.sees(who, record):
            raise faults.missing(self.noun.name, ident)
        return record

    def changeable(self, who: Caller, ident: str, verb: str) -> Record:
        """:raises Missing: as seen(). :raises Denied: it is somebody else's, or the caller only reads."""
        record = self.seen(who, ident)
        who.require_write(verb, self.noun)
        if not self.changes(who, record):
            raise faults.denied(f"{verb}_{self.noun.name}")
        return record

    def view(self, who: Caller, record: Record, fields: frozenset[str] = frozenset()) -> Record:
        whole = {**self.shown(who, record), "tenant_id": record["project_id"]}
        if not self.noun.is_tagged:
            whole.pop("tags", None)
        secret = rules.hidden(who, self.noun)
        return {
            name: value for name, value in whole.items() if name not in secret and (not fields or name in fields)
        }

    def _entry(self, value: Any) -> Record:
        """The client's attributes under their newest names.

        :raises Refused: no object, or attributes that the noun has not got.
        """
        if not isinstance(value, dict):
            raise faults.invalid(f"Unable to find '{self.noun.name}' in request body", "HTTPBadRequest")
        given = dict(value)
        if "tenant_id" in given:
            given.setdefault("project_id", given.pop("tenant_id"))
        unknown = given.keys() - self.noun.fields.keys()
        if unknown:
            raise faults.invalid(f"Unrecognized attribute(s) '{', '.join(sorted(unknown)):.255}'", "HTTPBadRequest")
        return given

    # -- tags -----------------------------------------------------------------------------------------

    def tags(self, req: webob.Request, ident: str) -> webob.Response:
        return json_response({"tags": self.seen(rules.caller(req), ident)["tags"]})

    def tag(self, req: webob.Request, ident: str, tag: str) -> webob.Response:
        if tag not in self.seen(rules.caller(req), ident)["tags"]:
            raise faults.Missing(f"Tag {tag:.64} could not be found.", type="TagNotFound")
        return empty_response()

    def replace_tags(self, req: webob.Request, ident: str) -> webob.Response:
        wanted = _object(req).get("tags")
        if not isinstance(wanted, list) or not all(isinstance(tag, str) and 0 < len(tag) <= 255 for tag in wanted):
            raise faults.invalid("Invalid input for tags. Reason: a list of texts is needed")
        return json_response({"tags": self._retag(req, ident, lambda tags: set(wanted))})

    def clear_tags(self, req: webob.Request, ident: str) -> webob.Response:
        self._retag(req, ident, lambda tags: set())
        return empty_response()

    def add_tag(self, req: webob.Request, ident: str, tag: str) -> webob.Response:
        self._retag(req, ident, lambda tags: tags | {tag})
        return empty_response(201)

    def remove_tag(self, req: webob.Request, ident: str, tag: str) -> webob.Response:
        self.tag(req, ident, tag)
        self._retag(req, ident, lambda tags: tags - {tag})
        return empty_response()

    def _retag(self, req: webob.Request, ident: str, change: Any) -> list[str]:
        who = rules.caller(req)
        with self._store.change():
            record = self.changeable(who, ident, "update")
            tags = sorted(change(set(record["tags"])))
            if len(tags) > MAX_TAGS:
                raise faults.invalid(f"Invalid input for tags. Reason: more than {MAX_TAGS} tags")
            self._store.put(self.noun.name, {**record, "tags": tags})
        return tags


def _require_revision(req: webob.Request, record: Record) -> None:
    """:raises Stale: the client wants it as it was seen, and it is not. :raises Refused: it wants something else."""
    wanted = req.headers.get("If-Match")
    if wanted is None:
        return
    match = _REVISION.fullmatch(wanted)
    if match is None:
        raise faults.invalid(f"Invalid value for If-Match header '{wanted:.64}'", "HTTPBadRequest")
    if int(match[1]) != record["revision_number"]:
        raise faults.stale(match[1], record["revision_number"])


def _object(req: webob.Request) -> Record:
    body = bodies.read_json(req, BODY_LIMIT, _CONTENT_TYPES)
    if not isinstance(body, dict):
        raise faults.invalid("The request body must be an object", "HTTPBadRequest")
    return body
