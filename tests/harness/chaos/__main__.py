"""Chaos of real processes: a cloud of its own, a seeded workload, faults at random moments, and the books afterwards.

    python -m tests.harness.chaos --profile lab --minutes 10 [--seed S] [--faults kill-api,freeze] [--json FILE]
    python -m tests.harness.chaos --drill lost-casts
    python -m tests.harness.chaos --drill power-loss --times 20

Exit code 1 when anything is wrong; then the directory with all logs is kept and named.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import pathlib
import random
import shutil
import signal
import sys
import tempfile
from typing import Any

# The lab is a package beside its programs.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "bin"))

from tests.harness.chaos import drill, faults  # noqa: E402
from tests.harness.chaos.embedded_world import EmbeddedWorld  # noqa: E402
from tests.harness.chaos.lab_world import LabWorld  # noqa: E402
from tests.harness.chaos.storm import Storm  # noqa: E402
from tests.harness.chaos.world import World  # noqa: E402


def parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser("tests.harness.chaos", description=(__doc__ or "").split("\n", 1)[0])
    found.add_argument("--profile", choices=("lab", "embedded"), default="lab")
    found.add_argument("--database", choices=("mariadb", "postgresql"), default="mariadb")
    found.add_argument("--minutes", type=float, default=10)
    found.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    found.add_argument("--clients", type=int, default=4)
    found.add_argument("--patience", type=float, default=1.0, help="below 1: what lasts long is made shorter")
    found.add_argument("--faults", default="", help=f"some of {', '.join(fault.name for fault in faults.FAULTS)}")
    found.add_argument("--drill", choices=tuple(drill.DRILLS), help="in place of a storm")
    found.add_argument("--times", type=int, default=20, help="how often a drill is repeated")
    found.add_argument("--directory", type=pathlib.Path, help="keep the cloud's files here, for another run to use")
    found.add_argument("--json", type=pathlib.Path, help="write all facts to this file")
    return found


def run(flags: argparse.Namespace, root: pathlib.Path) -> dict[str, Any]:
    """All facts of the run; ``violations`` among them."""
    if flags.drill:
        return drill.DRILLS[flags.drill](root, flags.database, flags.seed, flags.times)
    world: World = EmbeddedWorld(root) if flags.profile == "embedded" else LabWorld(root, flags.database)
    try:
        world.start()
        storm = Storm(world, flags.seed, flags.clients, flags.patience, lambda line: print(line, flush=True))
        report = storm.run(flags.minutes * 60, tuple(filter(None, flags.faults.split(","))))
        if report.violations:
            world.keep()
    finally:
        world.stop()
    print(report)
    return report.as_json()


def main() -> int:
    flags = parser().parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(2))  # the world is stopped on the way out
    logging.disable(logging.ERROR)  # the database is asked while it is down, on purpose
    os.environ.pop("NOVA_LITE_LAB_KEEP", None)
    root = flags.directory or pathlib.Path(tempfile.mkdtemp(prefix="nova-lite-chaos-"))
    root.mkdir(parents=True, exist_ok=True)
    print(f"seed {flags.seed}, files in {root}", flush=True)
    facts = run(flags, root.resolve())
    if flags.json:
        flags.json.write_text(json.dumps(facts, indent=2) + "\n")
    if facts["violations"]:
        print(f"logs: {root}")
        return 1
    if not flags.directory:
        shutil.rmtree(root, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
