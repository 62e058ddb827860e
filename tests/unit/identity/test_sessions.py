"""Sessions: one a process, clear errors for missing options, and whose token is sent."""

from __future__ import annotations

import pytest
from keystoneauth1 import exceptions as ks_exceptions
from keystoneauth1 import plugin
from oslo_config import cfg

from nova_lite import exception
from nova_lite.conf import service_auth
from nova_lite.context import RequestContext
from nova_lite.identity import sessions


@pytest.fixture
def conf():
    made = cfg.ConfigOpts()
    made([])
    service_auth.register(made)
    made.set_override("auth_url", "https://keystone/v3", "service_auth")
    made.set_override("password", "secret", "service_auth")
    yield made
    sessions.forget()


def test_one_session_a_process_until_it_is_forgotten(conf):
    first = sessions.session(conf)
    assert sessions.session(conf) is first
    sessions.forget()
    assert sessions.session(conf) is not first


@pytest.mark.parametrize("name", ["auth_url", "username", "password"])
def test_a_missing_option_is_named(conf, name):
    conf.set_override(name, None, "service_auth")
    with pytest.raises(exception.ConfigInvalid, match=rf"\[service_auth\] {name} is not set") as caught:
        sessions.session(conf)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("insecure", "cafile", "verify"), [(False, None, True), (False, "/ca.pem", "/ca.pem"), (True, "/ca.pem", False)]
)
def test_certificates_are_verified_unless_said_otherwise(conf, insecure, cafile, verify):
    conf.set_override("insecure", insecure, "service_auth")
    conf.set_override("cafile", cafile, "service_auth")
    assert sessions.session(conf).verify == verify


def test_the_callers_token_is_used_where_there_is_one(conf):
    client = sessions.client(conf, RequestContext(auth_token="theirs"), "image", ["public"])
    assert client.get_token() == "theirs" and client.auth.invalidate() is False
    for ctxt in (None, RequestContext()):
        assert sessions.client(conf, ctxt, "image", ["public"]).auth is sessions.session(conf).auth


@pytest.mark.parametrize(("token", "sent"), [("theirs", "theirs"), (None, "ours")])
def test_a_client_that_vouches_sends_our_own_token_besides(conf, token, sent):
    class Service(plugin.BaseAuthPlugin):
        def get_token(self, session):
            return "ours"

    base = sessions.session(conf)
    base.auth = Service()
    client = sessions.client(conf, RequestContext(auth_token=token), "volume", ["public"], vouches=True)
    assert client.auth.get_headers(base) == {"X-Auth-Token": sent, "X-Service-Token": "ours"}


def test_endpoints_are_looked_up_with_our_own_token(conf):
    class Service:
        def get_endpoint(self, session, **wanted):
            return f"http://{wanted['service_type']}.{wanted['region_name']}.{wanted['interface'][0]}"

    sessions.session(conf).auth = Service()
    client = sessions.client(conf, RequestContext(auth_token="theirs"), "image", ["public"], region_name="North")
    assert client.get_endpoint() == "http://image.North.public"


def test_an_override_needs_no_catalogue(conf):
    client = sessions.client(conf, None, "image", ["public"], endpoint_override="http://here")
    assert client.get_endpoint() == "http://here"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ks_exceptions.ConnectFailure("x"), "The image service cannot be reached."),
        (ks_exceptions.DiscoveryFailure("x"), "The image service cannot be reached."),
        (ks_exceptions.Unauthorized("x"), "The image service cannot be used: nova-lite may not log in."),
        (ks_exceptions.ClientException("secret insides"), "The image service cannot be used."),
    ],
)
def test_what_goes_wrong_on_the_way_is_said_in_our_words(error: Exception, words: str) -> None:
    with pytest.raises(exception.Unavailable) as caught, sessions.asking("image service"):
        raise error
    assert str(caught.value) == words


def test_other_errors_pass_as_they_are() -> None:
    with pytest.raises(exception.NotFound), sessions.asking("image service"):
        raise exception.NotFound
