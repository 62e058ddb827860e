"""A walk: commands that unmodified clients run one after the other against one cloud, as data.

A step's words may hold ``{name}`` of something an earlier step made (``keeps``), and say what has to come out of it.
"""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import re
import select
import shlex
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

# The longest that one command may take, with what it waits for.
LONGEST_S = 60.0
RUNNER = pathlib.Path(__file__).with_name("runner.py")


@dataclass(frozen=True)
class Step:
    """One command. ``cloud`` is an entry of clouds.yaml; ``keeps``: what to remember, name to key of the JSON answer.

    ``shows``: a regular expression for the output; ``fails``: one for the error of a command that must fail.
    ``within_s``: the command is said again until it is so, at most that long.
    """

    command: str
    cloud: str = "nova-lite"
    client: str = "openstack"
    keeps: Mapping[str, str] = field(default_factory=dict)
    shows: str | None = None
    fails: str | None = None
    within_s: float = 0.0


@dataclass(frozen=True)
class Outcome:
    step: Step
    words: tuple[str, ...]
    code: int
    out: str
    err: str

    @property
    def complaint(self) -> str | None:
        """What is wrong with it; None when all is well."""
        what = f"{self.step.client} {shlex.join(self.words)}"
        if self.step.fails is not None:
            if self.code == 0 or not re.search(self.step.fails, self.err + self.out):
                return f"{what}: should fail with {self.step.fails!r}; code {self.code}: {self.err or self.out}"
            return None
        if self.code != 0:
            return f"{what}: code {self.code}: {self.err[-2000:] or self.out[-2000:]}"
        if self.step.shows is not None and not re.search(self.step.shows, self.out, re.S):
            return f"{what}: {self.step.shows!r} is not in {self.out[-2000:]}"
        return None


class Client:
    """One stock client in a process of its own; ``environment`` tells it where the cloud is."""

    def __init__(self, name: str, environment: Mapping[str, str]) -> None:
        self._name = name
        kept = {key: value for key, value in os.environ.items() if not key.startswith("OS_")}
        self._environment = kept | {"PYTHONWARNINGS": "ignore"} | dict(environment)
        self._start()

    def _start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(RUNNER), self._name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=self._environment,
        )  # fmt: skip

    def run(self, words: Iterable[str]) -> tuple[int, str, str]:
        """Exit code, output, errors."""
        assert self._process.stdin is not None and self._process.stdout is not None
        words = list(words)
        self._process.stdin.write(json.dumps(words) + "\n")
        self._process.stdin.flush()
        ready, _, _ = select.select([self._process.stdout], [], [], LONGEST_S)
        if not ready:  # the next one shall not get this one's answer
            self.close()
            self._start()
            raise AssertionError(f"no end after {LONGEST_S} s: {words}")
        line = self._process.stdout.readline()
        assert line, "the client's process died"
        answer = json.loads(line)
        return int(answer["code"]), str(answer["out"]), str(answer["err"])

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


class Walk:
    """Runs steps; ``clients`` by cloud, or by the client's name. What steps kept is in ``known``.

    ``openstack`` keeps its login in the class for the life of the process: each cloud needs a process of its own.
    """

    def __init__(self, clients: Mapping[str, Client], known: Mapping[str, str] | None = None) -> None:
        self._clients = clients
        self.known: dict[str, str] = dict(known or {})

    def step(self, step: Step) -> Outcome:
        """Do a step; one that may take a while is done again until it has nothing to complain of."""
        end = time.monotonic() + step.within_s
        while True:
            outcome = self._once(step)
            if outcome.complaint is None or time.monotonic() > end:
                return outcome
            time.sleep(0.2)

    def _once(self, step: Step) -> Outcome:
        words = tuple(self._filled(word) for word in shlex.split(step.command))
        if step.shows is not None:
            step = dataclasses.replace(step, shows=self._filled(step.shows))
        if step.client == "openstack":
            sent = ("--os-cloud", step.cloud, *words, *(("-f", "json") if step.keeps else ()))
            client = self._clients[step.cloud]
        else:
            sent, client = words, self._clients[step.client]
        code, out, err = client.run(sent)
        if code == 0 and step.keeps:
            answer: Any = json.loads(out)
            for name, key in step.keeps.items():
                self.known[name] = str(answer[key])
        return Outcome(step, words, code, out, err)

    def _filled(self, text: str) -> str:
        for name, value in self.known.items():
            text = text.replace(f"{{{name}}}", value)
        return text
