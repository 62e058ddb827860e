"""No process compares its own clock with a time that another one wrote: that is what the database's clock is for.

Whoever asks a process's own clock stands in the table, with the reason why nobody is deceived by it.
"""

from __future__ import annotations

import ast
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
# What asks this process's clock: see nova_lite/clock.py.
ASKS = {"utcnow", "wall"}

SHOWN = "shown to users, or summed up for them; nothing is decided by it"
FALLBACK = "what no writer filled in; what is judged is written with db.clock.now()"
EMBEDDED = "a service of a cloud on one machine, whose processes share its clock"
OWN = "its own times only: one process writes and reads them"
ALLOWED = {
    "nova_lite/clock.py": "the clock itself",
    "nova_lite/db/clock.py": "SQLite's clock is its machine's",
    "nova_lite/db/models/base.py": FALLBACK,
    "nova_lite/db/models/idempotency.py": FALLBACK,
    "nova_lite/db/models/instances.py": FALLBACK,
    "nova_lite/db/models/operations.py": FALLBACK,
    "nova_lite/db/models/provisional_images.py": FALLBACK,
    "nova_lite/db/models/provisional_volumes.py": FALLBACK,
    "nova_lite/db/api/flavors.py": SHOWN,
    "nova_lite/db/api/keypairs.py": SHOWN,
    "nova_lite/db/api/instance_search.py": "which index is quicker; what is found is the same",
    "nova_lite/api/openstack/compute/usage.py": SHOWN,
    "nova_lite/api/openstack/compute/usage_audit.py": SHOWN,
    "nova_lite/compute/rescue.py": SHOWN,
    "nova_lite/compute/shelve.py": "a conductor says it again, see conductor/endings/shelves.py",
    "nova_lite/compute/reconcile.py": SHOWN,
    "nova_lite/compute/keypair_material.py": "a certificate's dates, which others judge by their own clocks",
    "nova_lite/conductor/endings/create.py": SHOWN,
    "nova_lite/conductor/endings/live_moves.py": SHOWN,
    "nova_lite/conductor/endings/moves.py": SHOWN,
    "nova_lite/conductor/endings/rebuild.py": SHOWN,
    "nova_lite/identity/token_check.py": "the identity service says when its tokens end; a wrong clock locks users out",
    "nova_lite/launcher.py": OWN,
    "nova_lite/gmr.py": "a file's name",
    "nova_lite/rpc.py": "with SKEW_S between the two: a message is late only beyond any difference of clocks",
    "nova_lite/rpc_wire.py": "the moment of sending, see rpc.py",
    "nova_lite/embedded/identity/authentication.py": EMBEDDED,
    "nova_lite/embedded/identity/revocations.py": EMBEDDED,
    "nova_lite/embedded/image/records.py": EMBEDDED,
    "nova_lite/embedded/network/store.py": EMBEDDED,
    "nova_lite/embedded/volume/cloud_api.py": EMBEDDED,
    "nova_lite/embedded/volume/records.py": EMBEDDED,
}


def _asks(path: pathlib.Path) -> bool:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    names |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    names |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    return bool(names & ASKS)


def test_who_asks_its_own_clock_deceives_nobody() -> None:
    paths = sorted((ROOT / "nova_lite").rglob("*.py"))
    asking = {str(path.relative_to(ROOT)) for path in paths if _asks(path)}
    assert asking - ALLOWED.keys() == set(), "ask db.clock (now() to write, settled() to judge), or say why not"
    assert ALLOWED.keys() - asking == set(), "these ask no longer"
