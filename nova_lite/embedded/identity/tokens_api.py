"""/v3/auth: log in, look at a token, give it up, and what it can reach."""

from __future__ import annotations

from typing import Any

import webob

from nova_lite import exception
from nova_lite.embedded import bodies
from nova_lite.embedded.identity import auth_request, caller, views
from nova_lite.embedded.identity.authentication import Authenticator
from nova_lite.embedded.identity.catalog import Catalog
from nova_lite.embedded.identity.tokens import Token
from nova_lite.embedded.wsgi import Route, empty_response, json_response

BODY_LIMIT = 64 * 1024


class TokensApi:
    """:param url: the service's own v3 URL."""

    def __init__(self, authenticator: Authenticator, catalog: Catalog, url: str) -> None:
        self._authenticator = authenticator
        self._catalog = catalog
        self._url = url

    def routes(self) -> list[Route]:
        return [
            Route("POST", "/v3/auth/tokens", self.issue),
            Route("GET", "/v3/auth/tokens", self.show),
            Route("DELETE", "/v3/auth/tokens", self.revoke),
            Route("GET", "/v3/auth/catalog", self.catalog),
            Route("GET", "/v3/auth/projects", self.projects),
            Route("GET", "/v3/auth/domains", self.domains),
            Route("GET", "/v3/auth/system", self.system),
            Route("GET", "/v3/OS-REVOKE/events", self.events),
        ]

    def issue(self, req: webob.Request) -> webob.Response:
        try:
            body = bodies.read_json(req, BODY_LIMIT)
        except exception.UnsupportedMedia as error:
            raise exception.Invalid(error.message) from None
        text, token = self._authenticator.issue(auth_request.parse(body))
        return json_response(self._view(req, token), status=201, X_Subject_Token=text)

    def _view(self, req: webob.Request, token: Token) -> dict[str, Any]:
        catalog = None if "nocatalog" in req.GET else self._catalog.for_token()
        return views.token(token, self._authenticator.users.current(), catalog)

    def _subject(self, req: webob.Request, rule: str) -> Token:
        """The token that X-Subject-Token names.

        :raises Unauthorized: the caller has no valid token.
        :raises Forbidden: it is another user's, and the caller is neither administrator nor service.
        :raises NotFound: it is not a valid token.
        """
        asker = caller.authenticate(req, self._authenticator)
        expired_too = req.GET.get("allow_expired", "").lower() in ("1", "true") and asker.may_validate
        try:
            subject = self._authenticator.check(req.headers.get("X-Subject-Token"), allow_expired=expired_too)
        except exception.Unauthorized:
            asker.require(asker.may_validate, rule)
            raise exception.NotFound("Could not find token.") from None
        asker.require(asker.may_validate or subject.user_id == asker.token.user_id, rule)
        return subject

    def show(self, req: webob.Request) -> webob.Response:
        subject = self._subject(req, "validate_token")
        return json_response(self._view(req, subject), X_Subject_Token=req.headers["X-Subject-Token"])

    def revoke(self, req: webob.Request) -> webob.Response:
        self._authenticator.revoke(self._subject(req, "revoke_token"))
        return empty_response()

    def catalog(self, req: webob.Request) -> webob.Response:
        asker = caller.authenticate(req, self._authenticator)
        asker.require(asker.token.scope.target is not None, "get_auth_catalog")
        return json_response({"catalog": self._catalog.for_token(), "links": self._links("auth/catalog")})

    def projects(self, req: webob.Request) -> webob.Response:
        asker = caller.authenticate(req, self._authenticator)
        rows = [views.project(each) for each in asker.directory.projects_of(asker.token.user_id)]
        return json_response({"projects": rows, "links": self._links("auth/projects")})

    def domains(self, req: webob.Request) -> webob.Response:
        asker = caller.authenticate(req, self._authenticator)
        rows = [views.domain(each) for each in asker.directory.domains_of(asker.token.user_id)]
        return json_response({"domains": rows, "links": self._links("auth/domains")})

    def system(self, req: webob.Request) -> webob.Response:
        asker = caller.authenticate(req, self._authenticator)
        granted = asker.directory.roles_on(asker.token.user_id, ("system", "all"))
        return json_response({"system": [{"all": True}] if granted else [], "links": self._links("auth/system")})

    def events(self, req: webob.Request) -> webob.Response:
        asker = caller.authenticate(req, self._authenticator)
        asker.require(asker.may_validate, "list_revoke_events")
        rows = [
            {"audit_id": audit_id, "issued_before": views.moment(at), "revoked_at": views.moment(at)}
            for audit_id, at in self._authenticator.revocations.all()
        ]
        return json_response({"events": rows, "links": self._links("OS-REVOKE/events")})

    def _links(self, path: str) -> dict[str, str | None]:
        return {"self": f"{self._url}/{path}", "next": None, "previous": None}
