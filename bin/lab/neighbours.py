"""A real Keystone and a real Glance from PyPI, each one threaded process on SQLite, with users and endpoints."""

from __future__ import annotations

import grp
import json
import os
import pathlib
import pwd
import subprocess
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import openstack

from lab import process
from lab.layout import Layout

if TYPE_CHECKING:
    from openstack.connection import Connection

REGION = "RegionOne"
SERVE = pathlib.Path(__file__).with_name("serve.py")
# name -> (project, roles); passwords are the lab's secrets of the same name.
USERS = {"demo": ("demo", ("member", "reader")), "nova-lite": ("service", ("service", "admin"))}
# name -> (type, name of its port, path)
SERVICES = {
    "keystone": ("identity", "keystone", "/v3"),
    "glance": ("image", "glance", ""),
    "nova-lite": ("compute", "compute", "/v2.1"),
    "nova-lite-network": ("network", "network", ""),
    "nova-lite-volume": ("block-storage", "volume", "/v3"),
}

KEYSTONE = """[DEFAULT]
use_stderr = true
[database]
connection = sqlite:///{base}/keystone.db
[token]
provider = fernet
expiration = 86400
[fernet_tokens]
key_repository = {base}/fernet
[fernet_receipts]
key_repository = {base}/receipts
[credential]
key_repository = {base}/credential
[identity]
password_hash_rounds = 4
[cache]
enabled = true
backend = dogpile.cache.memory
"""
GLANCE = """[DEFAULT]
use_stderr = true
enabled_backends = files:file
enabled_import_methods = []
worker_self_reference_url = {glance}
[database]
connection = sqlite:///{base}/glance.db?timeout=60
[glance_store]
default_backend = files
[files]
filesystem_store_datadir = {base}/images
[os_glance_staging_store]
filesystem_store_datadir = {base}/staging
[os_glance_tasks_store]
filesystem_store_datadir = {base}/tasks
[paste_deploy]
flavor = keystone
config_file = {neighbours}/etc/glance/glance-api-paste.ini
[keystone_authtoken]
www_authenticate_uri = {keystone}
auth_url = {keystone}
auth_type = password
username = nova-lite
password = {password}
project_name = service
user_domain_name = Default
project_domain_name = Default
service_token_roles_required = true
"""


def _manage(lab: Layout, program: str, *arguments: str) -> None:
    base = lab.directory(program.split("-")[0])
    done = subprocess.run(
        [str(lab.neighbours / "bin" / program), "--config-dir", str(base / "etc"), *arguments],
        capture_output=True, text=True, timeout=300, cwd=base,
    )  # fmt: skip
    if done.returncode:
        raise process.LabError(f"{program} {' '.join(arguments)}:\n{done.stdout}{done.stderr}")


def _server(lab: Layout, name: str) -> process.Process:
    base = lab.directory(name)
    argv = [str(lab.neighbours / "bin" / "python"), "-P", str(SERVE), f"{name}.wsgi.api", str(lab.ports[name])]
    env = {f"OS_{name.upper()}_CONFIG_DIR": f"{base}/etc"}
    return process.Process(name, base, argv, env, port=lab.ports[name])


def _http_answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except urllib.error.HTTPError as error:
        return error.code == 300  # a list of versions
    except OSError:
        return False


def start_keystone(lab: Layout) -> None:
    """Prepared once (database, keys, administrator), then started."""
    base = lab.directory("keystone")
    (base / "etc").mkdir(exist_ok=True)
    (base / "etc" / "keystone.conf").write_text(KEYSTONE.format(base=base))
    keys = ("fernet", "receipts", "credential")
    if not (base / "prepared").exists() or not all((base / directory).is_dir() for directory in keys):
        for directory in keys:
            (base / directory).mkdir(mode=0o700, exist_ok=True)
        _manage(lab, "keystone-manage", "db_sync")
        owner = pwd.getpwuid(os.getuid()).pw_name, grp.getgrgid(os.getgid()).gr_name
        for setup in ("fernet_setup", "credential_setup"):  # the first makes the keys of receipts too
            _manage(lab, "keystone-manage", setup, "--keystone-user", owner[0], "--keystone-group", owner[1])
        url = lab.url("keystone", "/v3")
        _manage(lab, "keystone-manage", "bootstrap", "--bootstrap-password", lab.secrets["admin"],
                "--bootstrap-public-url", url, "--bootstrap-internal-url", url, "--bootstrap-admin-url", url,
                "--bootstrap-region-id", REGION)  # fmt: skip
        (base / "prepared").touch()
    server = _server(lab, "keystone")
    server.start()
    server.wait(lambda: _http_answers(lab.url("keystone", "/v3")), 90)


def start_glance(lab: Layout) -> None:
    """Prepared once (database, directories), then started."""
    base = lab.directory("glance")
    (base / "etc").mkdir(exist_ok=True)
    (base / "etc" / "glance-api.conf").write_text(GLANCE.format(
        base=base, glance=lab.url("glance"), keystone=lab.url("keystone"), password=lab.secrets["service"],
        neighbours=lab.neighbours,
    ))  # fmt: skip
    if not (base / "prepared").exists():
        for directory in ("images", "staging", "tasks"):
            (base / directory).mkdir(exist_ok=True)
        _manage(lab, "glance-manage", "db", "sync")
        (base / "prepared").touch()
    server = _server(lab, "glance")
    server.start()
    server.wait(lambda: _http_answers(lab.url("glance", "/versions")), 90)


def connect(lab: Layout, user: str = "admin", project: str = "admin") -> Connection:
    """A connection of the stock SDK."""
    return openstack.connect(
        auth_url=lab.url("keystone", "/v3"), username=user, password=password(lab, user), project_name=project,
        user_domain_name="Default", project_domain_name="Default", region_name=REGION, load_yaml_config=False,
        load_envvars=False, identity_endpoint_override=lab.url("keystone", "/v3"),
    )  # fmt: skip


def password(lab: Layout, user: str) -> str:
    return lab.secrets["service" if user == "nova-lite" else user]


def register(lab: Layout) -> None:
    """Projects, users, roles, services and endpoints; what exists stays, but endpoints follow their ports."""
    done = lab.directory("keystone") / "registered"
    urls = {name: lab.url(port, path) for name, (_, port, path) in SERVICES.items()}
    if done.exists() and done.read_text() == json.dumps(urls):
        return
    with connect(lab) as cloud:
        identity: Any = cloud.identity  # the SDK types it as either of two versions
        for user, (project, roles) in USERS.items():
            home = identity.find_project(project) or identity.create_project(name=project, domain_id="default")
            person = identity.find_user(user) or identity.create_user(
                name=user, password=password(lab, user), domain_id="default", default_project_id=home.id
            )
            for role in roles:
                found = identity.find_role(role) or identity.create_role(name=role)
                identity.assign_project_role_to_user(home, person, found)
        for name, url in urls.items():
            _publish(identity, name, url)
    done.write_text(json.dumps(urls))


def _publish(identity: Any, name: str, url: str) -> None:
    """One service and its three endpoints in the catalogue."""
    service = identity.find_service(name) or identity.create_service(name=name, type=SERVICES[name][0])
    have = {point.interface: point for point in identity.endpoints(service_id=service.id)}
    for interface in ("public", "internal", "admin"):
        if interface not in have:
            identity.create_endpoint(service_id=service.id, interface=interface, region_id=REGION, url=url)
        elif have[interface].url != url:
            identity.update_endpoint(have[interface], url=url)


def processes(lab: Layout) -> list[process.Process]:
    return [_server(lab, "keystone"), _server(lab, "glance")]


def stop(lab: Layout) -> list[str]:
    return [server.name for server in reversed(processes(lab)) if server.stop(10)]
