"""Schema fuzzing: schemathesis makes requests of the OpenAPI document, right ones and wrong ones, for a cloud in here.

    python -m tests.harness.fuzz --minutes 10 [--seed N]

Every answer must have a status that the document names for the call, an error the form it gives, no 5xx but 501 and
503, and come in time. Ids that exist are put into most requests, or all of them would end at "not found".
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import json
import pathlib
import random
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import hypothesis
import schemathesis
from hypothesis import HealthCheck, Phase
from jsonschema import Draft202012Validator
from schemathesis.generation import GenerationMode

from nova_lite import conf as nova_conf
from nova_lite.api.openstack.microversions import VERSIONS
from tests.harness.cloud import ADMIN, IMAGE_ID, PROJECT, STRANGER, USER, Answer, Cloud

SLOW_S = 15.0
ROUND = 6  # requests of one operation in a row
UNKNOWN = "11111111-2222-3333-4444-555555555555"
TOKENS = (ADMIN, ADMIN, ADMIN, USER, USER, STRANGER)
MODES = (GenerationMode.POSITIVE, GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
SERVERS = 4


@dataclass(frozen=True)
class Finding:
    """A request whose answer is wrong, and why; enough to send it again."""

    problem: str
    method: str
    path: str
    version: str
    token: str
    body: Any
    answer: str

    def __str__(self) -> str:
        sent = json.dumps(self.body)[:600] if self.body is not None else "no body"
        who = self.token.partition(":")[0]
        return f"{self.problem}: {self.method} {self.path} at {self.version} as {who}, {sent}\n    {self.answer[:400]}"


@dataclass
class Report:
    seed: int
    requests: int = 0
    seconds: float = 0.0
    statuses: collections.Counter[int] = field(default_factory=collections.Counter)
    operations: set[str] = field(default_factory=set)
    slowest: tuple[float, str] = (0.0, "")
    findings: list[Finding] = field(default_factory=list)

    def __str__(self) -> str:
        counts = " ".join(f"{status}:{number}" for status, number in sorted(self.statuses.items()))
        head = (
            f"seed {self.seed}: {self.requests} requests of {len(self.operations)} operations in {self.seconds:.0f} s; "
            f"{counts}; slowest {self.slowest[0]:.1f} s {self.slowest[1]}"
        )
        return "\n".join([head, *map(str, self.findings)])


class Fuzzer:
    """``seed`` decides every request; what a cloud in motion answers to it is its own affair."""

    def __init__(self, cloud: Cloud, seed: int) -> None:
        self._cloud = cloud
        self._chance = random.Random(seed)
        self.report = Report(seed)
        self._known: set[str] = set()
        self._errors: dict[int, Draft202012Validator] = {}

    def run(self, seconds: float) -> Report:
        """Fuzz for so long, at a new microversion every few dozen operations."""
        begun = time.monotonic()
        for version, operation, mode in self._rounds():
            if time.monotonic() - begun > seconds:
                break
            self._restock()
            self._drive(operation, mode, lambda case, op=operation, at=version: self._send(case, op, at))
        self.report.seconds = time.monotonic() - begun
        return self.report

    def _rounds(self) -> Iterator[tuple[str, Any, GenerationMode]]:
        while True:
            version = self._chance.choice([VERSIONS[-1].number, self._chance.choice(VERSIONS).number])
            document = self._cloud.get(f"/v2.1/openapi.json?version={version}", token=None, version=None).json
            self._errors = {
                int(code): Draft202012Validator(each["content"]["application/json"]["schema"])
                for code, each in document["components"]["responses"].items()
            }
            found = [each.ok() for each in schemathesis.openapi.from_dict(_apart(document)).get_all_operations()]
            self._chance.shuffle(found)
            for operation in found[:60]:
                yield version, operation, self._chance.choice(MODES)

    def _drive(self, operation: Any, mode: GenerationMode, send: Callable[[Any], None]) -> None:
        """Some requests of one operation."""

        @hypothesis.seed(self._chance.randrange(2**32))
        @hypothesis.settings(
            max_examples=ROUND, database=None, deadline=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
        def drive(case: Any) -> None:
            send(case)

        with contextlib.suppress(hypothesis.errors.Unsatisfiable):  # nothing can be wrong about such a call
            drive()

    # -- one request ----------------------------------------------------------------------------------

    def _send(self, case: Any, operation: Any, version: str) -> None:
        method, token = case.method.upper(), self._chance.choice(TOKENS)
        is_known = self._chance.random() < 0.8
        path = (self._path(operation.path) if is_known else case.formatted_path).partition("#")[0]
        query = urllib.parse.urlencode(case.query or {}, doseq=True, errors="replace")
        body = None if type(case.body).__name__ == "NotSet" else self._filled(case.body)
        full = f"{path}?{query}" if query else path
        try:
            sent = json.dumps(body) if body is not None else None
        except (TypeError, ValueError):
            return  # bytes that JSON has no words for
        begun = time.monotonic()
        answer = self._cloud.request(
            method, "/v2.1" + full, sent.encode("utf-8", "replace") if sent is not None else None, token, version
        )
        taken = time.monotonic() - begun
        self.report.requests += 1
        self.report.statuses[answer.status] += 1
        self.report.operations.add(f"{method} {operation.path}")
        self.report.slowest = max(self.report.slowest, (taken, f"{method} {operation.path}"))
        for problem in self._problems(operation, answer, taken):
            key = f"{problem} {method} {operation.path} {next(iter(body), '') if isinstance(body, dict) else ''}"
            if key not in self._known:
                self._known.add(key)
                text = answer.body.decode("utf-8", "replace")
                self.report.findings.append(Finding(problem, method, full, version, token, body, text))

    def _problems(self, operation: Any, answer: Answer, taken: float) -> Iterator[str]:
        if answer.status >= 500 and answer.status not in (501, 503):
            yield f"{answer.status}"
        elif str(answer.status) not in operation.definition.raw["responses"]:
            yield f"undocumented {answer.status}"
        elif answer.status >= 400:
            error = next(self._errors[answer.status].iter_errors(answer.json), None)
            if error is not None:
                yield f"an error of another form than the document's ({error.message[:80]})"
        if taken > SLOW_S:
            yield f"slower than {SLOW_S:.0f} s"

    # -- ids that exist -------------------------------------------------------------------------------

    def _restock(self) -> None:
        """A few servers, whatever was deleted."""
        missing = SERVERS - len(self._servers())
        for _ in range(missing):
            body = {"name": "fuzzed", "imageRef": IMAGE_ID, "flavorRef": "42", "networks": "auto"}
            answer = self._cloud.post("/servers", {"server": body})
            if answer.status != 202:
                self._mend()
                break

    def _mend(self) -> None:
        """Quotas, flavors and hosts are fuzzed, too: what servers need is put back."""
        self._cloud.delete(f"/os-quota-sets/{PROJECT}", token=ADMIN)
        self._cloud.delete(f"/os-quota-sets/{PROJECT}?user_id=demo", token=ADMIN)
        limits = {"instances": 1000, "cores": 4000, "ram": 4_000_000, "metadata_items": 128}
        self._cloud.request(
            "PUT", "/os-quota-class-sets/default", {"quota_class_set": limits}, token=ADMIN, version="2.96"
        )
        for service in self._cloud.get("/os-services?binary=nova-compute", token=ADMIN).json["services"]:
            body = {"status": "enabled", "forced_down": False}
            self._cloud.request("PUT", f"/os-services/{service['id']}", body, token=ADMIN)
        flavor = {"name": "again", "id": "42", "ram": 128, "vcpus": 1, "disk": 1}
        self._cloud.post("/flavors", {"flavor": flavor}, token=ADMIN)

    def _servers(self) -> list[str]:
        return [each["id"] for each in self._cloud.get(f"/servers?limit={SERVERS}").json["servers"]]

    def _path(self, template: str) -> str:
        first = template.split("/")[1]
        ids = {
            "servers": lambda: self._chance.choice(self._servers() or [UNKNOWN]),
            "flavors": lambda: self._chance.choice(["1", "42", "2"]),
            "os-quota-sets": lambda: PROJECT, "os-simple-tenant-usage": lambda: PROJECT,
            "os-quota-class-sets": lambda: "default",
        }.get(first, lambda: self._chance.choice(["1", "2", UNKNOWN, "host1"]))  # fmt: skip
        head, brace, rest = template.partition("{")
        if not brace:
            return template
        rest = rest.partition("}")[2]
        more = self._chance.choice(["1", "key", UNKNOWN, "private", "hw:cpu_policy"])
        while "{" in rest:
            rest = rest[: rest.index("{")] + urllib.parse.quote(more) + rest[rest.index("}") + 1 :]
        return head + ids() + rest

    def _filled(self, value: Any, key: str = "") -> Any:
        """The body with some values that mean something here."""
        if isinstance(value, dict):
            return {name: self._filled(each, name) for name, each in value.items()}
        if isinstance(value, list):
            return [self._filled(each, key) for each in value]
        known: dict[str, tuple[Any, ...]] = {
            "imageRef": (IMAGE_ID,), "rescue_image_ref": (IMAGE_ID,), "flavorRef": ("42", "1"), "networks": ("auto",),
            "host": ("host1", "host2"), "volumeId": (UNKNOWN,), "availability_zone": ("nova",), "tenant": (PROJECT,),
            "uuid": (IMAGE_ID, UNKNOWN), "server_uuid": tuple(self._servers()) or (UNKNOWN,),
        }  # fmt: skip
        if key in known and isinstance(value, str) and self._chance.random() < 0.7:
            return self._chance.choice(known[key])
        return value


def _apart(document: dict[str, Any]) -> dict[str, Any]:
    """The document with an operation for each action, or the first ones of a path would be tried for ever."""
    paths: dict[str, Any] = {}
    for path, item in document["paths"].items():
        body = item.get("post", {}).get("requestBody", {"content": {"application/json": {"schema": {}}}})
        actions = body["content"]["application/json"]["schema"].get("oneOf", ())
        for each in actions:
            body = {"required": True, "content": {"application/json": {"schema": each}}}
            paths[f"{path}#{next(iter(each['properties']))}"] = {
                **item, "post": {**item["post"], "operationId": str(len(paths)), "requestBody": body},
            }  # fmt: skip
        if not actions:
            paths[path] = item
    return {**document, "paths": paths}


def fuzz(folder: pathlib.Path, seconds: float, seed: int) -> Report:
    """Fuzz a cloud of two hosts in this process."""
    with Cloud(folder, hosts=2) as cloud:
        nova_conf.CONF.set_override("rpc_response_timeout", 5)
        try:
            return Fuzzer(cloud, seed).run(seconds)
        finally:
            nova_conf.CONF.clear_override("rpc_response_timeout")


def main() -> int:
    parser = argparse.ArgumentParser("tests.harness.fuzz", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    flags = parser.parse_args()
    print(f"seed {flags.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        report = fuzz(pathlib.Path(folder), flags.minutes * 60, flags.seed)
    print(report)
    return 1 if report.findings else 0


if __name__ == "__main__":
    sys.exit(main())
