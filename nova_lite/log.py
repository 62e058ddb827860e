"""Logging: oslo.log's lines with request id and server, and no secret in any of them.

The mask works on the finished line, so that it also covers tracebacks and what libraries log.
"""

from __future__ import annotations

import logging as standard
import re
from typing import Any

from oslo_config import cfg
from oslo_log import log as logging
from oslo_utils import strutils

LEVELS = (
    "kombu=WARN",
    "kombu.connection=ERROR",
    "oslo_messaging=INFO",
    "eventlet.wsgi.server=INFO",
    "cheroot=INFO",
    "alembic=WARN",
    "oslo_service=WARN",
)

MASKED = "***"
# Cheap first look: most lines hold none of these words.
_SUSPECT = re.compile(r"pass|secret|token|://[^\s/@]*:[^\s/@]*@|authorization|gAAAAA|private_key", re.IGNORECASE)
_URL_PASSWORD = re.compile(r"(://[^\s/:@]*:)[^\s/@]+(@)")
_FERNET = re.compile(r"gAAAAA[\w\-=]{20,}")
_TOKEN_HEADER = re.compile(
    r"((?:x-(?:auth|subject|service)-token|authorization)['\"]?\s*[:=]\s*b?['\"]?)[^'\",}\s]+", re.I
)
_ADMIN_PASS = re.compile(r"((?:admin_?pass)['\"]?\s*[:=]\s*b?['\"]?)[^'\",}\s]+", re.I)


# Said at every start, about something that cannot be mended by who reads it.
_NOISE = ("Using the in-process token cache is deprecated",)


def mask(text: str) -> str:
    """The text with passwords, tokens and the passwords of URLs replaced."""
    if not _SUSPECT.search(text):
        return text
    text = strutils.mask_password(text, MASKED)
    text = _URL_PASSWORD.sub(rf"\g<1>{MASKED}\g<2>", text)
    text = _FERNET.sub(MASKED, text)
    text = _TOKEN_HEADER.sub(rf"\g<1>{MASKED}", text)
    return _ADMIN_PASS.sub(rf"\g<1>{MASKED}", text)


class MaskingFormatter(standard.Formatter):
    """Another formatter's lines, masked."""

    def __init__(self, inner: standard.Formatter) -> None:
        super().__init__()
        self._inner = inner

    def format(self, record: standard.LogRecord) -> str:
        return mask(self._inner.format(record))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def setup(conf: cfg.ConfigOpts, binary: str) -> None:
    """Start logging as configured; without a file, a journal or syslog, to standard error."""
    logging.set_defaults(default_log_levels=[*logging.get_default_log_levels(), *LEVELS])
    if not (conf.log_file or conf.log_dir or conf.use_syslog or conf.use_journal or conf.log_config_append):
        conf.set_default("use_stderr", True)
    logging.setup(conf, binary)
    for handler in standard.getLogger().handlers:
        if handler.formatter is not None and not isinstance(handler.formatter, MaskingFormatter):
            handler.setFormatter(MaskingFormatter(handler.formatter))
    standard.captureWarnings(True)
    standard.getLogger("keystonemiddleware.auth_token").addFilter(_worth_saying)


def _worth_saying(record: standard.LogRecord) -> bool:
    return not str(record.msg).startswith(_NOISE)
