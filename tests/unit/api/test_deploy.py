"""The Paste file: found, loaded, and clear about what is wrong with it."""

from __future__ import annotations

import pathlib

import pytest
from oslo_config import cfg

from nova_lite import conf as nova_conf
from nova_lite import exception
from nova_lite.api import deploy
from tests.harness.compute_api import ask, environ_of

PASTE = pathlib.Path(__file__).resolve().parents[3] / "etc" / "api-paste.ini"


@pytest.fixture
def conf() -> cfg.ConfigOpts:
    made = cfg.ConfigOpts()
    nova_conf.register_all(made)
    made([], project="nova-lite", default_config_files=[], default_config_dirs=[])
    made.set_override("auth_strategy", "noauth2", "api")
    return made


def test_the_file_in_the_tree_is_found_and_names_its_applications(conf: cfg.ConfigOpts) -> None:
    assert deploy.find_paste_config("api-paste.ini", conf) == PASTE
    assert {"osapi_compute", "oscomputeversions", "healthcheck"} <= set(deploy.applications(PASTE))


def test_an_unknown_application_is_named_with_those_there_are(conf: cfg.ConfigOpts) -> None:
    with pytest.raises(exception.ConfigInvalid, match=r"no app 'nope' in .*api-paste.ini; it has: .*osapi_compute"):
        deploy.load_app("nope", conf=conf)


def test_a_missing_file_names_the_places(conf: cfg.ConfigOpts, tmp_path: pathlib.Path) -> None:
    with pytest.raises(exception.ConfigInvalid, match="searched: .*/etc/nova-lite/nope.ini"):
        deploy.load_app("osapi_compute", "nope.ini", conf)
    with pytest.raises(exception.ConfigInvalid, match="nope.ini"):
        deploy.load_app("osapi_compute", str(tmp_path / "nope.ini"), conf)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("no section", "is not a Paste file"),
        ("[app:a]\npaste.app_factory = nova_lite.nothing:app\n", "app 'a' of .* cannot be loaded"),
        ("[app:a]\npaste.app_factory = nova_lite.api.deploy:nothing\n", "app 'a' of .* cannot be loaded"),
        ("[app:a]\n", "app 'a' of .* cannot be loaded"),
        ("[pipeline:a]\npipeline = missing b\n", "app 'a' of .* cannot be loaded"),
        ("[composite:a]\nuse = call:nova_lite.api.pipeline:pipeline_factory\nkeystone = b\n", "has only: keystone"),
    ],
)
def test_what_is_wrong_with_a_file(conf: cfg.ConfigOpts, tmp_path: pathlib.Path, text: str, sentence: str) -> None:
    path = tmp_path / "paste.ini"
    path.write_text(text)
    with pytest.raises(exception.ConfigInvalid, match=sentence):
        deploy.load_app("a", str(path), conf)


@pytest.mark.parametrize("name", ["oscomputeversions", "osapi_compute"])
def test_the_applications_answer(conf: cfg.ConfigOpts, name: str) -> None:
    app = deploy.load_app(name, conf=conf)
    assert ask(app, environ_of("GET", "/")).json["versions"][1]["id"] == "v2.1"


def test_the_whole_pipeline_of_both_strategies(conf: cfg.ConfigOpts) -> None:
    app = deploy.load_app("osapi_compute", conf=conf)
    headers = {"X-Auth-Token": "user:p", "X-Roles": "admin"}
    assert ask(app, environ_of("GET", "/v2.1/extensions", headers=headers)).status == 200
    assert ask(app, environ_of("GET", "/v2/extensions", headers=headers)).status == 200
    assert ask(app, environ_of("GET", "/healthcheck")).data == b"OK"
    conf.set_override("auth_strategy", "keystone", "api")
    conf.set_override("auth_url", "http://identity.example/v3", "service_auth")
    guarded = deploy.load_app("osapi_compute", conf=conf)
    answer = ask(guarded, environ_of("GET", "/v2.1/extensions"))
    assert answer.status == 401
    assert answer.json["error"]["message"] == "The request you have made requires authentication."
    assert answer.headers["WWW-Authenticate"] == 'Keystone uri="http://identity.example/v3"'
    assert answer.headers["x-openstack-request-id"] == answer.headers["x-compute-request-id"]
    assert ask(guarded, environ_of("GET", "/v2.1/")).status == 200


def test_the_site_may_turn_stock_filters_on(conf: cfg.ConfigOpts) -> None:
    deploy.load_app("osapi_compute", conf=conf)  # registers the filters' options
    conf.set_override("allowed_origin", ["http://dashboard"], "cors")
    conf.set_override("enable_proxy_headers_parsing", True, "oslo_middleware")
    app = deploy.load_app("osapi_compute", conf=conf)
    headers = {"Origin": "http://dashboard", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "public"}
    answer = ask(app, environ_of("GET", "/v2.1/", headers=headers))
    assert answer.headers["Access-Control-Allow-Origin"] == "http://dashboard"
    assert answer.json["version"]["links"][0]["href"] == "https://public/v2.1/"


def test_the_site_may_give_links_another_address(conf: cfg.ConfigOpts) -> None:
    conf.set_override("compute_link_prefix", "https://cloud.example/compute/", "api")
    app = deploy.load_app("osapi_compute", conf=conf)
    answer = ask(app, environ_of("GET", "/v2.1/"))
    assert answer.json["version"]["links"][0]["href"] == "https://cloud.example/compute/v2.1/"
