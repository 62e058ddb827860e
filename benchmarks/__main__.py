"""``python -m benchmarks`` is ``benchmarks/run.py``; without arguments it measures everything."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import run
from bench import report

sys.argv[1:] = sys.argv[1:] or ["--all"]
sys.exit(report.explained(run.main))
