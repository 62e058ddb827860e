"""A guest's whole life, run as a process of its own under one concurrency backend: BACKEND URI DIRECTORY.

Prints JSON: the events in order, the power state after each verb, and the longest time (seconds) for which other work
of the process stood still by its own doing.
"""

from __future__ import annotations

import sys

from nova_lite import concurrency

if __name__ == "__main__":
    concurrency.patch(sys.argv[1])

import json  # noqa: E402
import pathlib  # noqa: E402
import time  # noqa: E402
from typing import Any  # noqa: E402

from tests.harness import hypervisor, processor  # noqa: E402
from tests.harness.guest import nano  # noqa: E402

TICK_S = 0.005


def tick(gaps: list[float], done: Any) -> None:
    """Note how late each tick is."""
    last, waited = time.monotonic(), processor.waited_s()
    while not done.is_set():
        concurrency.sleep(TICK_S)
        now, waiting = time.monotonic(), processor.waited_s()
        gaps.append(now - last - TICK_S - max(0.0, waiting - waited))
        last, waited = now, waiting


def main(uri: str, directory: pathlib.Path) -> dict[str, Any]:
    images = hypervisor.Images()
    server = hypervisor.make_server(images.add(nano.build(directory), "raw"))
    vifs = (hypervisor.make_vif(),)
    driver = hypervisor.make_driver(uri, directory, images)
    events: list[str] = []
    driver.register_event_listener(lambda event: events.append(str(event.transition)))
    gaps: list[float] = []
    done = concurrency.Event()
    ticker = concurrency.spawn(tick, gaps, done)
    states = {}
    steps: dict[str, Any] = {
        "create_disks": lambda: driver.create_disks(None, server),
        "spawn": lambda: (driver.spawn(server, vifs), hypervisor.wait_for_login(driver, server)),
        "pause": lambda: driver.pause(server),
        "unpause": lambda: driver.unpause(server),
        "suspend": lambda: driver.suspend(server),
        "resume": lambda: driver.resume(server, vifs),
        "reboot": lambda: (driver.reboot(server, vifs, hard=False), hypervisor.wait_for_login(driver, server, 2)),
        "power_off": lambda: driver.power_off(server, 20),
        "power_on": lambda: driver.power_on(server, vifs),
        "destroy": lambda: driver.destroy(server),
        "delete_disks": lambda: driver.delete_disks(server),
    }
    for name, step in steps.items():
        step()
        states[name] = int(driver.power_state(server))
    hypervisor.wait_for(lambda: events and events[-1] == "stopped", "the last event")
    done.set()
    ticker.wait(5)
    driver.close()
    return {"events": events, "states": states, "longest_stall_s": round(max(gaps), 3)}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[2], pathlib.Path(sys.argv[3]))))
