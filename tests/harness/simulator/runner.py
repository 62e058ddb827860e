"""Many seeds: a process for each, begun as a copy of one that has everything ready."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import pathlib
import select
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable, Iterator

from nova_lite import liveness
from nova_lite.db import clock as db_clock
from nova_lite.virt.fake import live_migration
from tests.harness.simulator import primitives
from tests.harness.simulator.fleet import Fleet
from tests.harness.simulator.trial import Result, Trial

# A trial that takes so many real seconds has hung.
HUNG_S = 90
# The seed of a trial that nobody looks at.
WARMING = 10


class Runner:
    """Everything that trials share is made here once; use it as a context, for it owns a directory."""

    def __init__(self, log_level: int = logging.CRITICAL) -> None:
        memory = pathlib.Path("/dev/shm")
        self._root = pathlib.Path(tempfile.mkdtemp(prefix="simulator-", dir=memory if memory.is_dir() else None))
        self._home = pathlib.Path.cwd()
        primitives.install()
        logging.disable(logging.CRITICAL)
        self._stand_in("warm")
        fleet = Fleet()
        self._database = fleet.prepare()
        # Statements are compiled once for all trials. What is left of this one is kept: nothing of it may end.
        self._warm = Trial(fleet, self._database, WARMING)
        self._warm.run()
        _forget()
        self._stand_in("template")
        self._fleet = Fleet()
        self._fleet.prepare()
        if log_level < logging.CRITICAL:
            logging.disable(logging.NOTSET)

    def _stand_in(self, name: str) -> None:
        (self._root / name).mkdir()
        os.chdir(self._root / name)

    def __enter__(self) -> Runner:
        return self

    def __exit__(self, *_: object) -> None:
        os.chdir(self._home)
        shutil.rmtree(self._root, ignore_errors=True)

    def run(
        self, seeds: Iterable[int], jobs: int = 1, on_line: Callable[[str], None] | None = None
    ) -> Iterator[Result]:
        """Results as they come."""
        todo = iter(seeds)
        at_work: dict[int, tuple[int, int, bytearray]] = {}
        while True:
            while len(at_work) < jobs and (seed := next(todo, None)) is not None:
                pid, pipe = self._fork(seed, on_line)
                at_work[pipe] = (pid, seed, bytearray())
            if not at_work:
                return
            for pipe in select.select(list(at_work), [], [])[0]:
                pid, seed, data = at_work[pipe]
                chunk = os.read(pipe, 65536)
                data += chunk
                if not chunk:
                    del at_work[pipe]
                    yield self._collect(pid, pipe, seed, bytes(data))

    def _fork(self, seed: int, on_line: Callable[[str], None] | None) -> tuple[int, int]:
        reader, writer = os.pipe()
        sys.stdout.flush()
        pid = os.fork()
        if pid:
            os.close(writer)
            return pid, reader
        # Whatever happens, the copy ends here, and runs nobody's `finally`.
        code = 1
        try:
            os.close(reader)
            signal.signal(signal.SIGALRM, _hung)
            signal.alarm(HUNG_S)
            result = self._trial(seed, on_line)
            with os.fdopen(writer, "wb") as out:
                out.write(json.dumps(dataclasses.asdict(result)).encode())
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(code)

    def _trial(self, seed: int, on_line: Callable[[str], None] | None) -> Result:
        place = self._root / f"seed-{seed}"
        shutil.copytree(self._root / "template", place)
        os.chdir(place)
        try:
            return Trial(self._fleet, self._database, seed, on_line).run()
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def _collect(self, pid: int, pipe: int, seed: int, data: bytes) -> Result:
        os.close(pipe)
        _, status = os.waitpid(pid, 0)
        if status or not data:
            shutil.rmtree(self._root / f"seed-{seed}", ignore_errors=True)
            return Result(seed, [f"the trial's process ended with status {status}, see above"])
        return Result(**json.loads(data))


def _forget() -> None:
    """What the product's modules remember of a former world."""
    live_migration._HYPERVISORS.clear()
    liveness._observer = liveness.Observer()
    db_clock._current = None


def _hung(*_: object) -> None:
    """Say where, and end."""
    traceback.print_stack()
    print(*list(primitives.kernel().trace)[-10:], sep="\n", file=sys.stderr, flush=True)
    os._exit(3)
