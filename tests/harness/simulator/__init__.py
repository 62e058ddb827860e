"""The simulator: the whole control plane in one process and one thread, on a clock of its own, with faults by seed.

    python -m tests.harness.simulator --seeds 2000 [--from N] [--jobs 2] [--json]
    python -m tests.harness.simulator --seed 4711 --trace

The code that runs is the product's: API pipeline, conductor, scheduler, hosts with the fake hypervisor, SQLite. What is
replaced: threads by greenlets that change places only at failpoints and waits (:mod:`kernel`, :mod:`primitives`), the
broker by one that loses, repeats, delays and reorders (:mod:`bus`), time by a number. One seed decides everything, so
that a seed that fails, fails again.
"""
