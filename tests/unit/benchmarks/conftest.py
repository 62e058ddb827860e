"""The benchmarks are programs beside the package; their shared modules are imported from where they lie."""

from __future__ import annotations

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "benchmarks"))
