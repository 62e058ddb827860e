"""The composite at the root: prefixes, slashes, mounts, links."""

from __future__ import annotations

from typing import Any

import pytest

from nova_lite.api.openstack.links import Links, host_url
from nova_lite.api.openstack.urlmap import URLMap
from tests.harness.compute_api import ask, environ_of


def teller(name: str) -> Any:
    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [f"{name} {environ['SCRIPT_NAME']} {environ['PATH_INFO']}".encode()]

    return app


MAP = {"/": "root", "/v2": "old", "/v2/+": "old+", "/v2.1": "new", "/v2.1/+": "new+", "/healthcheck": "health"}
MAP["/v2.1/one.json"] = "one"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", "root  /"),
        ("", "root  "),
        ("/foo", "root  /foo"),
        ("/v2.1", "new /v2.1 "),
        ("/v2.1/", "new /v2.1 /"),
        ("/v2.1//", "new /v2.1 //"),
        ("/v2.1/servers", "new+ /v2.1 /servers"),
        ("//v2.1/servers", "new+ /v2.1 /servers"),
        ("/v2/servers", "old+ /v2 /servers"),
        ("/v2.1/one.json", "one /v2.1 /one.json"),
        ("/v2/one.json", "old+ /v2 /one.json"),
        ("/v2.10/servers", "root  /v2.10/servers"),
        ("/v3", "root  /v3"),
        ("/healthcheck", "health /healthcheck "),
    ],
)
def test_prefixes(path: str, expected: str) -> None:
    app = URLMap({key: teller(name) for key, name in MAP.items()})
    assert ask(app, environ_of("GET", path)).data.decode() == expected


def test_without_a_root_everything_else_is_404() -> None:
    assert ask(URLMap({}), environ_of("GET", "/x")).status == 404


def test_a_mount_point_stays_in_the_links() -> None:
    environ = {**environ_of("GET", "/v2.1/servers"), "SCRIPT_NAME": "/compute"}
    URLMap({"/v2.1/+": teller("new+")})(environ, lambda *args: None)
    assert Links(environ, "p").to("servers", "1") == "http://cloud:8774/compute/v2.1/p/servers/1"
    assert Links(environ, None).bookmark("images", "i")["href"] == "http://cloud:8774/compute/images/i"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "http://cloud:8774"),
        ({"HTTP_HOST": ""}, "http://cloud:8774"),
        ({"HTTP_HOST": "", "SERVER_PORT": "80"}, "http://cloud"),
        ({"HTTP_HOST": "", "SERVER_PORT": "443", "wsgi.url_scheme": "https"}, "https://cloud"),
        ({"nova_lite.link_prefix": "https://public/compute"}, "https://public/compute"),
    ],
)
def test_whose_name_is_in_the_links(changes: dict[str, str], expected: str) -> None:
    assert host_url({**environ_of("GET", "/"), **changes}) == expected


def test_the_next_link_keeps_every_key_sorted_and_a_new_marker_last() -> None:
    links = Links({**environ_of("GET", "/"), "nova_lite.version_path": "/v2.1"}, None)
    query = {"sort_key": ["b", "a"], "limit": ["1"], "name": ["a b&c"]}
    (first,) = links.next("servers", query, "m1")
    assert first["href"] == "http://cloud:8774/v2.1/servers?limit=1&name=a+b%26c&sort_key=b&sort_key=a&marker=m1"
    (second,) = links.next("servers", {**query, "marker": ["m1"]}, "m2")
    assert second["href"].endswith("?limit=1&marker=m2&name=a+b%26c&sort_key=b&sort_key=a")


def test_names_in_links_are_quoted() -> None:
    links = Links(environ_of("GET", "/"), "a b")
    assert links.to("servers", "a?b") == "http://cloud:8774/a%20b/servers/a%3Fb"
