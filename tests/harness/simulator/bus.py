"""A broker that cannot be trusted: messages and answers are lost, come twice, come late, and overtake each other.

It stands where oslo.messaging's client and server stand, so that ours on both sides of it are the product's: contexts
with their expiry, the wire's form of values, the guard of the endpoints, errors that travel.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import oslo_messaging

from nova_lite import rpc, rpc_wire
from nova_lite.context import RequestContext
from tests.harness.simulator.kernel import Kernel, Life, Task


@dataclass
class Weather:
    """Chances of what happens to one message, and seconds: how long a slow one takes, and a very late one."""

    lost: float = 0.0
    repeated: float = 0.0
    late: float = 0.0
    usual_s: float = 0.01
    late_s: float = 30.0
    casts_lost: bool = False


@dataclass
class Message:
    """``wire`` is what travels: context and arguments as text. ``asker`` waits for an answer."""

    number: int
    topic: str
    host: str | None
    fanout: bool
    method: str
    wire: str
    asker: _Asker | None = None

    def __str__(self) -> str:
        kind = "call" if self.asker is not None else "cast"
        return f"{kind} #{self.number} {self.topic}{'.' + self.host if self.host else ''} {self.method}"


@dataclass
class _Asker:
    task: Task
    answered: bool = False
    answer: str = ""


@dataclass(eq=False)
class _Consumer:
    """A server of one life of a daemon."""

    life: Life
    topic: str
    host: str
    endpoints: list[Any]
    open: bool = False
    at_work: int = 0
    bus: Any = None
    waiters: list[Task] = field(default_factory=list)

    # -- what nova_lite.rpc asks of oslo.messaging's server ----------------------------------------

    def start(self) -> None:
        self.open = True
        self.bus.deliver_kept()

    def stop(self) -> None:
        self.open = False

    def wait(self) -> None:
        while self.at_work:
            self.bus.kernel.sleep(0.05)


class Bus:
    """``log`` has every message ever sent, to be said again."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.weather = Weather()
        self.log: list[Message] = []
        self.counts: dict[str, int] = {}
        # Names of daemons that no message reaches or leaves, and whether the broker is away.
        self.cut: set[str] = set()
        self.down = False
        self._consumers: list[_Consumer] = []
        self._kept: list[Message] = []

    def install(self, conf: Any) -> None:
        """Stand in oslo.messaging's place in this process."""
        bus = self
        rpc._conf, rpc._transport, rpc._answers_come = conf, self, True
        rpc._outbox = _Outbox()  # type: ignore[assignment]
        rpc.Client._stub = lambda client: _Stub(bus, client.topic)  # type: ignore[method-assign, assignment]
        rpc.Server._make = lambda server: bus.consumer(server)  # type: ignore[method-assign, assignment]

    def consumer(self, server: rpc.Server) -> _Consumer:
        made = _Consumer(self.kernel.life, server.topic, server.host, server._endpoints, bus=self)
        self._consumers.append(made)
        return made

    # -- sending ----------------------------------------------------------------------------------

    def post(self, topic: str, host: str | None, fanout: bool, method: str, wire: str, asker: _Asker | None) -> None:
        message = Message(len(self.log), topic, host, fanout, method, wire, asker)
        self.log.append(message)
        if self.kernel.life.name in self.cut:
            self._count("message cut off", message)
            return
        if self.down:
            self._kept.append(message)
            return
        for _ in range(self._fate("message", message)):
            self._later(self._delay(), lambda: self._arrive(message), f"message {message.number}")

    def _fate(self, what: str, message: Message) -> int:
        """How many of it arrive."""
        chance = self.kernel.random.random()
        if chance < self.weather.lost or (self.weather.casts_lost and message.asker is None):
            self._count(f"{what} lost", message)
            return 0
        if chance < self.weather.lost + self.weather.repeated:
            self._count(f"{what} repeated", message)
            return self.kernel.random.randint(2, 5)
        return 1

    def _count(self, what: str, message: Message) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1
        self.kernel.note(f"{what}: {message}")

    def _delay(self) -> float:
        chosen = self.kernel.random
        if chosen.random() < self.weather.late:
            self.counts["message late"] = self.counts.get("message late", 0) + 1
            return chosen.uniform(0.0, self.weather.late_s)
        return chosen.expovariate(1.0 / self.weather.usual_s)

    def _later(self, delay_s: float, work: Callable[[], None], name: str) -> None:
        def wait_and_work() -> None:
            self.kernel.sleep(delay_s)
            work()

        self.kernel.spawn(wait_and_work, name, life=_WIRE)

    # -- arriving ---------------------------------------------------------------------------------

    def _arrive(self, message: Message) -> None:
        takers = [] if self.down else self._takers(message)
        if not takers:
            self._kept.append(message)
            return
        takers = [taker for taker in takers if taker.host not in self.cut]
        if not takers:
            self._count("message cut off", message)
            return
        for taker in takers if message.fanout else [self.kernel.random.choice(takers)]:
            self.handle(taker, message)

    def _takers(self, message: Message) -> list[_Consumer]:
        return [
            each for each in self._consumers
            if each.open and each.life.alive and each.topic == message.topic and message.host in (None, each.host)
        ]  # fmt: skip

    def deliver_kept(self) -> None:
        """A server came: what waited for one is tried again."""
        kept, self._kept = self._kept, []
        for message in kept:
            self._later(self._delay(), lambda message=message: self._arrive(message), "kept message")  # type: ignore

    def handle(self, taker: _Consumer, message: Message, fresh: bool = False) -> None:
        """Do what a message says, in the server's own life. ``fresh``: whatever its age."""
        self.kernel.spawn(lambda: self._handle(taker, message, fresh), message.method, life=taker.life)

    def _handle(self, taker: _Consumer, message: Message, fresh: bool) -> None:
        context, args = json.loads(message.wire)
        if fresh:
            context["expires_at"] = None
        self.kernel.note(f"handles {message}")
        taker.at_work += 1
        try:
            method = _method(taker.endpoints, message.method)
            ctxt = RequestContext.from_wire(context)
            ctxt.sent_at, ctxt.expires_at = context["sent_at"], context["expires_at"]
            result = method(ctxt, **{name: rpc_wire.decode(args[name]) for name in args})
            if message.asker is not None and not fresh:
                self._answer(message, json.dumps(rpc_wire.encode(result)))
        finally:
            taker.at_work -= 1

    def _answer(self, message: Message, answer: str) -> None:
        asker = message.asker
        assert asker is not None

        def tell() -> None:
            if not asker.answered:
                asker.answered, asker.answer = True, answer
                self.kernel.wake(asker.task)

        if asker.task.life.name in self.cut or self.kernel.life.name in self.cut:
            self._count("answer cut off", message)
        elif self._fate("answer", message):
            self._later(self._delay(), tell, "answer")

    # -- asking -----------------------------------------------------------------------------------

    def ask(self, topic: str, host: str | None, method: str, wire: str, timeout_s: float) -> Any:
        """:raises MessagingTimeout: no answer in time; :raises MessageDeliveryFailure: there is no broker."""
        if self.down:
            raise oslo_messaging.MessageDeliveryFailure("the broker is away")
        assert self.kernel.current is not None
        asker = _Asker(self.kernel.current)
        self.post(topic, host, False, method, wire, asker)
        end = self.kernel.now + timeout_s
        while not asker.answered:
            if not self.kernel.block(max(0.0, end - self.kernel.now)) and not asker.answered:
                asker.answered = True
                raise oslo_messaging.MessagingTimeout
        return rpc_wire.decode(json.loads(asker.answer))

    def replay(self, messages: Iterable[Message]) -> int:
        """Say these again to whoever serves them, as if they were just sent; how many found somebody."""
        said = 0
        for message in messages:
            for taker in self._takers(message)[: None if message.fanout else 1]:
                self.handle(taker, message, fresh=True)
                said += 1
        return said


_WIRE = Life("wire")


def _encoded(value: Any) -> Any:
    return value.value if isinstance(value, rpc._Encoded) else rpc_wire.encode(value)


def _method(endpoints: Iterable[Any], name: str) -> Callable[..., Any]:
    for endpoint in endpoints:
        try:
            found: Callable[..., Any] = getattr(endpoint, name)
            return found
        except AttributeError:
            continue
    raise LookupError(f"no endpoint has {name}")


class _Outbox:
    """Sends at once: the broker may lose it anyway."""

    def put(self, message: Any) -> None:
        rpc._send(message)

    def flush(self, timeout_s: float) -> bool:
        return True

    def close(self, timeout_s: float = 0.0) -> None:
        pass


class _Stub:
    """oslo.messaging's client."""

    def __init__(self, bus: Bus, topic: str) -> None:
        self._bus = bus
        self._topic = topic

    def prepare(
        self, server: str | None = None, fanout: bool = False, timeout: float = 60.0, **_: Any
    ) -> _Call:  # fmt: skip
        return _Call(self._bus, self._topic, server, fanout, timeout)


@dataclass
class _Call:
    bus: Bus
    topic: str
    host: str | None
    fanout: bool
    timeout_s: float

    def _wire(self, context: dict[str, Any], args: dict[str, Any]) -> str:
        return json.dumps([context, {name: _encoded(value) for name, value in args.items()}])

    def call(self, context: dict[str, Any], method: str, **args: Any) -> Any:
        return self.bus.ask(self.topic, self.host, method, self._wire(context, args), self.timeout_s)

    def cast(self, context: dict[str, Any], method: str, **args: Any) -> None:
        self.bus.post(self.topic, self.host, self.fanout, method, self._wire(context, args), None)
