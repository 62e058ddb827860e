"""What proves which host this is: a small file beside its guests, which remembers how far the cloud had come.

A conductor has one, too, in its own directory.

The name of a host is configuration, and so is the address of its database; both can be wrong. The file goes with the
guests. A host whose file and whose database do not belong together starts nothing and touches nothing.

Beside it each heartbeat leaves its count, in place and without waiting for the disk: that costs a write into memory and
outlives the daemon's death. What must outlive the machine's, too, is written to disk now and then.
"""

from __future__ import annotations

import json
import logging
import os
import pathlib
import re
import uuid

from nova_lite import exception
from nova_lite.clock import monotonic
from nova_lite.objects import HostIdentity

LOG = logging.getLogger(__name__)

NAME = "compute_id"
# Ends the name of the count of the last heartbeat, and whose it is: always as long, so that it is overwritten.
COUNT = ".beats"
_COUNT = re.compile(rb"(\S{1,36}) +(\d{20})\n")
# Seconds between two times that the file is brought up to date, on disk, while the host runs.
KEEP_EVERY_S = 30.0
ADVICE = "Nothing was touched. What to do: doc/admin/host-identity.md."


class IdentityFile:
    """``directory`` None: this host keeps no guests beyond its daemon's life, and so needs no proof."""

    def __init__(self, host: str, directory: pathlib.Path | None, name: str = NAME) -> None:
        self._host = host
        self._path = None if directory is None else directory / name
        self._known: HostIdentity | None = None
        self._kept_at = 0.0
        self._can_note = True

    def load(self) -> HostIdentity | None:
        """What the host knows of itself, read once; without a file a new identity, written before anybody hears of it.

        :raises HostRefused: the file is another host's, or cannot be read or written.
        """
        if self._path is None or self._known is not None:
            return self._known
        try:
            found = HostIdentity.from_primitive(json.loads(self._path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            self.keep(HostIdentity(str(uuid.uuid4()), self._host, cloud=""))
            return self._known
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise exception.HostRefused(detail=f"{self._path} cannot be read ({error}). {ADVICE}") from error
        if found.host != self._host:
            raise exception.HostRefused(
                detail=f"{self._path} says that the guests here are those of host '{found.host}', but this daemon is "
                f"host '{self._host}': it was renamed, or was given another host's state directory. {ADVICE}"
            )
        self._known = found.replace(beats=max(found.beats, self._noted(found.uuid)))
        return self._known

    def keep(self, identity: HostIdentity) -> None:
        """Write it down, whole or not at all. :raises HostRefused: it cannot be written."""
        self._known = identity
        if self._path is None:
            return
        scratch = self._path.with_suffix(".new")
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with open(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
                json.dump(identity.to_primitive(), file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            os.replace(scratch, self._path)
        except OSError as error:
            raise exception.HostRefused(detail=f"{self._path} cannot be written: {error}") from error
        self._kept_at = monotonic()

    @property
    def beats(self) -> int:
        """How many heartbeats of this host the database is known to have counted."""
        return self._known.beats if self._known else 0

    def saw(self, beats: int, least: int) -> str | None:
        """The database counts so many heartbeats of this host; a sentence where they are too few.

        :param least: how many it must count: :attr:`beats` when it was asked (answers may overtake each other), and one
            more where the question was a heartbeat itself.
        """
        known = self._known
        if known is None:
            return None
        if beats < least:
            return (
                f"the database knows of {beats} heartbeats of this host, which has sent at least {least}: it is an "
                f"older copy. {ADVICE}"
            )
        self._known = known.replace(beats=max(beats, known.beats))
        self._note(self._known)
        if monotonic() - self._kept_at >= KEEP_EVERY_S:
            self.remember()
        return None

    def remember(self) -> None:
        """Bring the file up to date; a full disk is no reason to stop."""
        if self._known is None:
            return
        try:
            self.keep(self._known)
        except exception.HostRefused as error:
            self._kept_at = monotonic()
            LOG.warning("%s", error)

    # -- the count of each heartbeat --------------------------------------------------------------

    def _noted(self, identity: str) -> int:
        """The count beside the file; 0 when there is none, it is damaged, or that of an identity given up since."""
        assert self._path is not None
        try:
            found = _COUNT.match(self._counted(self._path).read_bytes())
        except OSError:
            return 0
        return int(found[2]) if found is not None and found[1] == identity.encode() else 0

    def _note(self, known: HostIdentity) -> None:
        """In memory after this, on disk when the kernel likes: it may be lost, and the file itself must be whole."""
        if self._path is None:
            return
        line = f"{known.uuid:<36.36} {known.beats:020d}\n".encode()
        try:
            place = os.open(self._counted(self._path), os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                os.pwrite(place, line, 0)
            finally:
                os.close(place)
        except OSError as error:
            if self._can_note:
                LOG.warning("The heartbeats of host %s cannot be noted: %s", self._host, error)
            self._can_note = False
        else:
            self._can_note = True

    @staticmethod
    def _counted(path: pathlib.Path) -> pathlib.Path:
        return path.with_name(path.name + COUNT)
