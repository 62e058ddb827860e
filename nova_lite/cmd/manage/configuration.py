"""nova-lite-manage config: the options."""

from __future__ import annotations

import argparse
import io
from typing import Any

from oslo_config import cfg, generator

from nova_lite.cmd import config_check
from nova_lite.cmd.manage.answer import Answer, Noun


def add(whats: Any) -> None:
    noun = Noun(whats, "config", "the configuration")
    noun.verb("check", check, "Look for what will not work; exit code 1 when there is something.")
    noun.verb("generate", generate, "Print a sample of all options with their defaults.")


def generate(conf: cfg.ConfigOpts, args: argparse.Namespace) -> Answer:
    options = cfg.ConfigOpts()
    generator.register_cli_opts(options)
    options(["--namespace", "nova_lite", "--wrap-width", "100"])
    text = io.StringIO()
    generator.generate(options, text)
    return Answer({"sample": text.getvalue()}, text.getvalue().rstrip())


def check(conf: cfg.ConfigOpts, args: argparse.Namespace) -> Answer:
    problems = [str(problem) for problem in config_check.problems(conf)]
    files = config_check.files(conf)
    found = "\n".join(f"- {problem}" for problem in problems) or "No problem found."
    text = f"Files: {', '.join(files) or 'none, all defaults'}\n{found}"
    return Answer({"files": files, "problems": problems}, text, code=1 if problems else 0)
