"""What goes wrong in a fake hypervisor, as data: which call, how, how often, and how long each takes."""

from __future__ import annotations

import enum
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from nova_lite import exception

# Long enough to outlast every deadline in a test, short enough that a forgotten one ends.
HANG_S = 3600.0


class FaultKind(enum.StrEnum):
    RAISE = "raise"
    ABORT = "abort"
    HANG = "hang"


@dataclass(frozen=True)
class FaultRule:
    """``times`` None means always; ``uuid`` None means any server."""

    call: str
    kind: FaultKind
    times: int | None = None
    uuid: str | None = None


@dataclass
class _Standing:
    """A rule and how often it may still strike; None is always."""

    rule: FaultRule
    left: int | None


class FaultPlan:
    """Counts the calls and strikes as its rules say. Safe to use from several threads."""

    def __init__(
        self, sleep: Callable[[float], None], rules: Iterable[FaultRule] = (), delays: Mapping[str, float] | None = None
    ) -> None:
        self._sleep = sleep
        self._lock = threading.Lock()
        self._rules = [_Standing(rule, rule.times) for rule in rules]
        self._delays = dict(delays or {})
        self.calls: list[tuple[str, str | None]] = []

    @classmethod
    def parse(cls, sleep: Callable[[float], None], faults: Iterable[str], delays: Mapping[str, str]) -> FaultPlan:
        """Read the options ``faults`` and ``delays`` of [fake_driver].

        :raises ConfigInvalid: a word that is no rule, or a delay that is no number.
        """
        try:
            rules = [_rule(text) for text in faults]
            seconds = {call: float(delay) for call, delay in delays.items()}
        except ValueError as error:
            raise exception.ConfigInvalid(detail=f"[fake_driver] faults or delays: {error}") from None
        return cls(sleep, rules, seconds)

    @property
    def names(self) -> set[str]:
        """The calls that it says something of."""
        with self._lock:
            return {standing.rule.call for standing in self._rules} | self._delays.keys()

    def add(self, rule: FaultRule) -> None:
        with self._lock:
            self._rules.append(_Standing(rule, rule.times))

    def clear(self) -> None:
        """From now on nothing goes wrong and nothing takes time."""
        with self._lock:
            self._rules.clear()
            self._delays.clear()

    def delay(self, call: str, seconds: float) -> None:
        """From now on ``call`` takes so many seconds."""
        with self._lock:
            self._delays[call] = seconds

    def strike(self, call: str, uuid: str | None) -> None:
        """Delay, hang or raise as the plan says of this call.

        :raises NovaLiteError: the plan says raise; :raises ImageUnacceptable: it says abort.
        """
        with self._lock:
            self.calls.append((call, uuid))
            kind = self._kind(call, uuid)
            seconds = self._delays.get(call, 0.0)
        if seconds:
            self._sleep(seconds)
        if kind is FaultKind.HANG:
            self._sleep(HANG_S)
        if kind is FaultKind.RAISE:
            raise exception.NovaLiteError(f"fault plan: {call} fails")
        if kind is FaultKind.ABORT:
            raise exception.ImageUnacceptable(image_id="?", reason=f"fault plan: {call} aborts")

    def _kind(self, call: str, uuid: str | None) -> FaultKind | None:
        for standing in self._rules:
            rule = standing.rule
            if rule.call != call or (rule.uuid and rule.uuid != uuid) or standing.left == 0:
                continue
            if standing.left is not None:
                standing.left -= 1
            return rule.kind
        return None


def _rule(text: str) -> FaultRule:
    parts = text.split(":")
    if len(parts) not in (2, 3):
        raise ValueError(f"{text!r} is not CALL:KIND or CALL:KIND:TIMES")
    return FaultRule(parts[0], FaultKind(parts[1]), int(parts[2]) if len(parts) == 3 else None)
