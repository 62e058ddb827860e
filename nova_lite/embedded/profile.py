"""The embedded profile: everything that one machine needs is made and known before the services start."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from oslo_config import cfg
from oslo_log import log as logging

from nova_lite import exception, rpc
from nova_lite.embedded import clouds, files, listen
from nova_lite.embedded.identity import bootstrap, passwords
from nova_lite.embedded.identity.bootstrap import IdentityFiles
from nova_lite.embedded.identity.users_file import UsersFile
from nova_lite.embedded.identity.wsgi import identity_dir

LOG = logging.getLogger(__name__)

TRANSPORT_URL = "kombu+memory:///"
# Below the state directory; written at each start.
OPERATOR_CONF = "operator.conf"
OPERATOR_AUTH = ("auth_url", "username", "password", "project_name", "user_domain_name", "project_domain_name",
                 "region_name")  # fmt: skip
OPERATOR_INTERVALS = ("heartbeat_interval_s", "lease_s", "service_down_s", "sweep_interval_s")
HEADER = "# Written at each start of nova-lite-all-in-one, for nova-lite-manage --config-file\n"
# cloud -> user and project
CLOUDS = {"nova-lite": ("demo", "demo"), "nova-lite-admin": ("admin", "admin")}


@dataclass(frozen=True)
class Profile:
    """Where everything is: URLs by service type, the users' file, and the file for clients."""

    urls: dict[str, str]
    users: Path
    clouds_yaml: Path
    lock: IO[str] = field(compare=False)  # open as long as this process uses the state


def prepare(conf: cfg.ConfigOpts) -> Profile:
    """Make state, users and keys where absent, and give every option a value that the operator left open.

    :raises ConfigInvalid: the address is not allowed, a file of the state cannot be made or used, or another process
        uses the state: two would take each other's host away for ever.
    """
    listen.check_listen(conf.embedded.listen, conf)
    try:
        Path(conf.state_path).mkdir(mode=0o711, parents=True, exist_ok=True)
        lock = files.lock(files.private_dir(Path(conf.embedded.directory)) / "lock")
        state = bootstrap.prepare(identity_dir(conf))
    except OSError as error:
        raise exception.ConfigInvalid(
            detail=f"{error.filename or conf.state_path} cannot be used ({error.strerror}): set [DEFAULT] state_path."
        ) from error
    urls = listen.service_urls(conf)
    _bypass_proxies(listen.public_host(conf))
    known = _passwords_still_right(state)
    _set_defaults(conf, urls, known)
    _write_operator_conf(conf)
    return Profile(urls, state.users, _write_clouds(conf, urls, known), lock)


def _set_defaults(conf: cfg.ConfigOpts, urls: dict[str, str], known: dict[str, str]) -> None:
    """Defaults lose against whatever the operator wrote."""
    rpc.set_default_transport(conf, TRANSPORT_URL)
    conf.set_default("osapi_compute_listen", conf.embedded.listen)
    conf.set_default("backend", "neutron", group="network")
    # There may be no other host.
    conf.set_default("allow_resize_to_same_host", True)
    conf.set_default("auth_url", urls[listen.IDENTITY], group="service_auth")
    conf.set_default("region_name", conf.embedded.region_name, group="service_auth")
    if "nova" in known:
        conf.set_default("password", known["nova"], group="service_auth")


def _write_operator_conf(conf: cfg.ConfigOpts) -> None:
    """The configuration with which nova-lite-manage finds this cloud: database, network and our own credentials.

    :raises ConfigInvalid: it cannot be written.
    """
    found = {
        ("DEFAULT", "state_path"): os.path.abspath(conf.state_path),
        ("database", "connection"): conf.database.connection,
        ("network", "backend"): conf.network.backend,
        ("embedded", "directory"): os.path.abspath(conf.embedded.directory),
    }
    # All that is compared with one another, or config check finds what nobody wrote.
    found |= {("operations", name): conf.operations[name] for name in OPERATOR_INTERVALS}
    found |= {("service_auth", name): conf.service_auth[name] for name in OPERATOR_AUTH}
    text, former = HEADER, ""
    for (group, name), value in found.items():
        if value is None:
            continue
        text += f"[{group}]\n" if group != former else ""
        # A dollar begins a reference to another option.
        text += f"{name} = {str(value).replace('$', '$$')}\n"
        former = group
    path = Path(conf.state_path) / OPERATOR_CONF
    try:
        files.replace_private(path, text.encode())
    except OSError as error:
        raise exception.ConfigInvalid(detail=f"{path} cannot be written ({error.strerror}).") from error


def _write_clouds(conf: cfg.ConfigOpts, urls: dict[str, str], known: dict[str, str]) -> Path:
    region = conf.embedded.region_name
    entries = {
        name: clouds.cloud(urls[listen.IDENTITY], user, known[user], project, region)
        for name, (user, project) in CLOUDS.items()
        if user in known
    }
    return clouds.write_clouds_yaml(os.fspath(conf.embedded.clouds_yaml), entries)


def _bypass_proxies(host: str) -> None:
    """Let this process reach its own services without the proxy that the environment may name."""
    if any(os.environ.get(name) for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")):
        listed = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
        hosts = [each.strip() for each in listed.split(",") if each.strip()]
        if "*" not in hosts and host not in hosts:
            os.environ["no_proxy"] = ",".join([*hosts, host.strip("[]")])


def _passwords_still_right(state: IdentityFiles) -> dict[str, str]:
    """The passwords made up at the first start, without those that the users' file no longer agrees with."""
    directory = UsersFile(state.users).current()
    right = {}
    for name, password in state.passwords.items():
        user = directory.user_named(name, "default")
        if user is not None and passwords.matches(password, user.password_hash):
            right[name] = password
        else:
            LOG.warning("The user %s of %s no longer has the password made at the first start", name, state.users)
    return right
