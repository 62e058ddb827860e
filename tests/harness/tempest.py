"""Stock tempest against the embedded cloud: starts it, writes tempest.conf, runs the contract's classes, counts.

    python -m tests.harness.tempest [--min-microversion 2.96] [--only REGEX] [--json FILE]
    OS_PASSWORD=... python -m tests.harness.tempest --auth-url http://127.0.0.1:5000/v3     another cloud, its admin

Tempest lives in an environment of its own, made by ``bin/nova-lite-setup tempest``; the classes are those of the
contract's tempest-public.txt. What is compared is tests listed against tests passed, because one fault in a class's
set-up takes all its tests along.
"""

from __future__ import annotations

import argparse
import collections
import configparser
import contextlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import requests

from tests.harness import daemon
from tests.harness.contract import material
from tests.harness.tempest_arguments import argument

TOP = pathlib.Path(__file__).resolve().parents[2]
VENV = TOP / ".lab" / "venv-tempest"
RESULTS = pathlib.Path(__file__).with_name("tempest_results.py")
SERVICES = {"image": "glance", "network": "neutron", "volumev3": "cinder", "block-storage": "cinder"}


class TempestMissing(Exception):
    """Nobody ran ``bin/nova-lite-setup tempest``."""


def python() -> pathlib.Path:
    """Tempest's interpreter.

    :raises TempestMissing: there is none.
    """
    found = VENV / "bin" / "python"
    if not (VENV / ".requirements").is_file():
        raise TempestMissing(f"no tempest in {VENV.relative_to(TOP)}: run bin/nova-lite-setup tempest")
    return found


# -- the classes --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wanted:
    """A line of tempest-public.txt. ``peer`` is how real Nova did; a ``proxy`` class tests calls of other services."""

    name: str
    peer: str
    proxy: bool


def classes() -> list[Wanted]:
    """The contract's classes, in its order."""
    found = []
    for line in (material.location() / "tempest-public.txt").read_text("utf-8").splitlines():
        name, _, remark = line.partition("#")
        if name.strip():
            proxy = remark.strip().endswith("proxy")
            found.append(Wanted(name.strip(), remark.strip().removesuffix("proxy").strip(), proxy))
    return found


# -- the cloud ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Target:
    """What tempest.conf has to know of a cloud; ``catalog`` is service type by URL."""

    auth_url: str
    password: str
    catalog: Mapping[str, str]
    images: tuple[str, str]
    flavors: tuple[str, str] = ("42", "1")
    public_network: str | None = None


@contextlib.contextmanager
def embedded(folder: pathlib.Path, options: str = "") -> Iterator[Target]:
    """The embedded cloud with the fake driver, in a process of its own; ``options`` are lines of its configuration."""
    conf = folder / "nova-lite.conf"
    conf.write_text(f"[fake_driver]\npersist = false\n{options}\n")
    base = daemon.free_ports_in_a_row()
    arguments = ["--config-file", str(conf), "--fake", "--hosts", "2", "--quiet", "--state-dir", str(folder / "state"),
                 "--port-base", str(base)]  # fmt: skip
    with daemon.running(folder, "threading", "all_in_one", *arguments) as running:
        running.wait_ready()
        credentials = folder / "state" / "embedded" / "identity" / "credentials.json"
        yield prepare(f"http://127.0.0.1:{base}/v3", json.loads(credentials.read_text())["admin"])
        running.stop()


def prepare(auth_url: str, password: str) -> Target:
    """Log in as the administrator, make two images and, where there is a network service, look for its outer net."""
    session = requests.Session()
    token, catalog = _login(session, auth_url, password)
    session.headers["X-Auth-Token"] = token
    images = (_image(session, catalog["image"], "tempest"), _image(session, catalog["image"], "tempest-alt"))
    public = _public_network(session, catalog["network"]) if "network" in catalog else None
    return Target(auth_url, password, catalog, images, public_network=public)


def _login(session: requests.Session, auth_url: str, password: str) -> tuple[str, dict[str, str]]:
    user = {"name": "admin", "domain": {"id": "default"}, "password": password}
    project = {"project": {"name": "admin", "domain": {"id": "default"}}}
    identity = {"methods": ["password"], "password": {"user": user}}
    answer = session.post(f"{auth_url}/auth/tokens", json={"auth": {"identity": identity, "scope": project}})
    answer.raise_for_status()
    catalog = {each["type"]: each["endpoints"][0]["url"] for each in answer.json()["token"]["catalog"]}
    return answer.headers["X-Subject-Token"], catalog


def _image(session: requests.Session, url: str, name: str) -> str:
    facts = {"name": name, "disk_format": "raw", "container_format": "bare", "visibility": "public"}
    made = session.post(f"{url}/v2/images", json=facts)
    made.raise_for_status()
    ident = str(made.json()["id"])
    sent = session.put(
        f"{url}/v2/images/{ident}/file", data=bytes(1 << 20), headers={"Content-Type": "application/octet-stream"}
    )
    sent.raise_for_status()
    return ident


def _public_network(session: requests.Session, url: str) -> str | None:
    found = session.get(f"{url.rstrip('/').removesuffix('/v2.0')}/v2.0/networks", params={"router:external": "true"})
    rows = found.json()["networks"] if found.ok else []
    return str(rows[0]["id"]) if rows else None


# -- tempest ------------------------------------------------------------------------------------------


def configuration(target: Target, folder: pathlib.Path, min_microversion: str | None) -> configparser.RawConfigParser:
    """tempest.conf: where everything is, and which features the fake hypervisor has."""
    conf = configparser.RawConfigParser()
    sections: dict[str, dict[str, Any]] = {
        "oslo_concurrency": {"lock_path": folder / "locks"},
        "auth": {
            "use_dynamic_credentials": True, "admin_username": "admin", "admin_project_name": "admin",
            "admin_domain_name": "Default", "admin_password": target.password, "tempest_roles": "member",
            "create_isolated_networks": "network" in target.catalog,
        },
        "identity": {"auth_version": "v3", "uri_v3": target.auth_url, "region": "RegionOne",
                     "v3_endpoint_type": "public"},
        "compute": {
            "image_ref": target.images[0], "image_ref_alt": target.images[1], "flavor_ref": target.flavors[0],
            "flavor_ref_alt": target.flavors[1], "max_microversion": "latest", "build_interval": 1,
            "build_timeout": 60, "min_compute_nodes": 2, "region": "RegionOne",
        },
        "compute-feature-enabled": {
            "resize": True, "cold_migration": True, "live_migration": True, "change_password": True,
            "vnc_console": True, "swap_volume": True, "personality": True, "metadata_service": False,
        },
        "network": {"project_networks_reachable": False, "public_network_id": target.public_network or ""},
        "network-feature-enabled": {"floating_ips": False, "ipv6": False},
        "volume": {"build_timeout": 60},
        "service_available": {
            name: any(kind in target.catalog for kind, service in SERVICES.items() if service == name)
            for name in {*SERVICES.values()}
        } | {"swift": False, "nova": True, "horizon": False},
        "validation": {"run_validation": False},
    }  # fmt: skip
    if min_microversion is not None:
        sections["compute"]["min_microversion"] = min_microversion
    for section, values in sections.items():
        conf[section] = {key: str(value) for key, value in values.items()}
    return conf


@dataclass
class Row:
    """One class's outcome. ``reasons``: test -> why it did not pass."""

    wanted: Wanted
    listed: int = 0
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    reasons: dict[str, str] = field(default_factory=dict)
    skips: set[str] = field(default_factory=set)


class Workspace:
    """A directory that tempest works in.

    :raises TempestMissing: there is no tempest.
    """

    def __init__(self, folder: pathlib.Path, target: Target, min_microversion: str | None = None) -> None:
        self._python = python()
        self._folder = folder
        folder.mkdir(parents=True)
        self._run("tempest", "init", "--workspace-path", str(folder / "workspaces.yaml"), str(folder / "ws"))
        with (folder / "ws" / "etc" / "tempest.conf").open("w") as file:
            configuration(target, folder, min_microversion).write(file)

    def _run(self, command: str, *arguments: str, cwd: pathlib.Path | None = None) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
        kept["PATH"] = f"{self._python.parent}:{kept['PATH']}"
        kept["HOME"] = str(self._folder)
        return subprocess.run(
            [str(self._python.parent / command), *arguments], cwd=cwd, env=kept, capture_output=True, text=True,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def run(self, names: Sequence[str], workers: int) -> dict[str, Row]:
        """Run these classes, or with no names every class of tempest.api.compute; a row each.

        :raises RuntimeError: tempest did not even list its tests.
        """
        chosen = self._folder / "classes"
        lines = [f"^{re.escape(name)}\\." for name in names] or [r"^tempest\.api\.compute\."]
        chosen.write_text("\n".join(lines) + "\n")
        workspace = self._folder / "ws"
        listing = self._run("tempest", "run", "--include-list", str(chosen), "--list-tests", cwd=workspace)
        known = {each.name: each for each in classes()}
        rows = {name: Row(known[name]) for name in names}
        for line in listing.stdout.splitlines():
            name = _class_of(line)
            if not names and name.startswith("tempest."):
                rows.setdefault(name, Row(known.get(name, Wanted(name, "", False))))
            if name in rows:
                rows[name].listed += 1
        if not any(row.listed for row in rows.values()):
            raise RuntimeError(f"tempest lists nothing:\n{listing.stdout[-2000:]}\n{listing.stderr[-2000:]}")
        self._run("tempest", "run", "--include-list", str(chosen), "--concurrency", str(workers), cwd=workspace)
        stream = subprocess.run(
            [str(self._python.parent / "stestr"), "last", "--subunit"], cwd=workspace, capture_output=True
        ).stdout
        lines = subprocess.run([str(self._python), str(RESULTS)], input=stream, capture_output=True, check=True).stdout
        for line in lines.decode().splitlines():
            _count(rows, json.loads(line))
        return rows


def _class_of(test: str) -> str:
    """The class in a test's id: ``module.Class.test[tags]`` or ``setUpClass (module.Class)``."""
    inside = re.fullmatch(r"\w+ \((.*)\)", test.strip())
    return inside[1] if inside else test.partition("[")[0].rpartition(".")[0]


def _count(rows: Mapping[str, Row], test: Mapping[str, str]) -> None:
    row = rows.get(_class_of(test["id"]))
    if row is None:
        return
    kind = {"success": "passed", "skip": "skipped"}.get(test["status"], "failed")
    whole = test["id"].startswith("setUpClass")
    if whole and kind == "skipped":
        row.skipped = row.listed
    elif whole:
        row.failed = row.listed
    else:
        setattr(row, kind, getattr(row, kind) + 1)
    if kind != "passed":
        short = "(set-up)" if whole else test["id"].partition("[")[0].rpartition(".")[2]
        row.reasons[short] = test["reason"]
        if kind == "skipped":
            row.skips.add(short)


# -- reports ------------------------------------------------------------------------------------------


def table(rows: Mapping[str, Row]) -> str:
    """Listed, passed, failed, skipped by class, then the reasons."""
    head = f"{'class':86} listed passed failed skipped  real Nova"
    lines = [head, "-" * len(head)]
    for name, row in rows.items():
        mark = " (proxy)" if row.wanted.proxy else ""
        short = name.removeprefix("tempest.api.compute.") + mark
        lines.append(
            f"{short:86} {row.listed:6} {row.passed:6} {row.failed:6} {row.skipped:7}  {row.wanted.peer}"
        )  # fmt: skip
    for title, chosen in (
        ("asked for", [row for row in rows.values() if not row.wanted.proxy]),
        ("all", list(rows.values())),
    ):
        sums = (sum(getattr(row, key) for row in chosen) for key in ("listed", "passed", "failed", "skipped"))
        lines.append("{:86} {:6} {:6} {:6} {:7}".format(title, *sums))
    for name, row in rows.items():
        for test, reason in row.reasons.items():
            why = argument(name, test, reason)
            lines.append(f"{name.rpartition('.')[2]}.{test}: {_last_line(reason)}")
            lines += [f"    ARGUED: {why}"] if why else []
    return "\n".join(lines)


def _last_line(reason: str) -> str:
    return reason.strip().splitlines()[-1].strip()[:300] if reason.strip() else "no reason given"


def unargued(rows: Mapping[str, Row]) -> list[str]:
    """Tests of classes that are asked for, which failed without an argument."""
    return [
        f"{name}.{test}" for name, row in rows.items() if row.failed and not row.wanted.proxy
        for test, reason in row.reasons.items()
        if not argument(name, test, reason) and test not in row.skips
    ]  # fmt: skip


def as_json(rows: Mapping[str, Row]) -> dict[str, Any]:
    return {
        name: {
            "listed": row.listed, "passed": row.passed, "failed": row.failed, "skipped": row.skipped,
            "proxy": row.wanted.proxy, "peer": row.wanted.peer,
            "reasons": {test: _last_line(reason) for test, reason in row.reasons.items()},
            "arguments": {
                test: why for test, reason in row.reasons.items() if (why := argument(name, test, reason)) is not None
            },
        }
        for name, row in rows.items()
    }  # fmt: skip


def lost(rows: Mapping[str, Row]) -> dict[str, int]:
    """By class, how many more tests do not pass than on real Nova; proxies do not count."""
    found = {}
    for name, row in rows.items():
        real = collections.Counter({kind: int(number) for kind, number in re.findall(r"(\w+) (\d+)", row.wanted.peer)})
        if not row.wanted.proxy and row.passed < real["PASS"]:
            found[name] = real["PASS"] - row.passed
    return found


def main() -> int:
    parser = argparse.ArgumentParser("tests.harness.tempest", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--min-microversion", help="tempest's [compute] min_microversion; unset by default")
    parser.add_argument("--only", default="", help="classes that match this regular expression")
    parser.add_argument("--everything", action="store_true", help="every class of tempest.api.compute")
    parser.add_argument("--no-proxies", action="store_true", help="leave out classes that test proxied calls")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--auth-url", help="of a cloud that runs already; its administrator's password: OS_PASSWORD")
    parser.add_argument("--json", type=pathlib.Path, help="write the rows there, too")
    parser.add_argument("--keep", type=pathlib.Path, help="an empty directory for logs and the cloud's state")
    flags = parser.parse_args()
    names = [
        each.name for each in classes()
        if re.search(flags.only, each.name) and not (flags.no_proxies and each.proxy)
    ]  # fmt: skip
    with contextlib.ExitStack() as stack:
        folder = flags.keep or pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tempest-")))
        folder.mkdir(parents=True, exist_ok=True)
        if flags.auth_url:
            target = prepare(flags.auth_url, os.environ["OS_PASSWORD"])
        else:
            target = stack.enter_context(embedded(folder))
        workspace = Workspace(folder / "tempest", target, flags.min_microversion)
        rows = workspace.run([] if flags.everything else names, flags.workers)
    print(table(rows))
    if flags.json:
        flags.json.write_text(json.dumps(as_json(rows), indent=1))
    for test in unargued(rows):
        print(f"FAILED: {test}")
    return 1 if unargued(rows) else 0


if __name__ == "__main__":
    sys.exit(main())
