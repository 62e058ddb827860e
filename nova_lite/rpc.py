"""Messages between services: the only module that knows oslo.messaging.

``init(conf)`` once a process, again after a fork; then ``get_client(topic)``, ``get_server(topic, host, endpoints)``.
A call waits for the answer and raises what the other side raised; a cast returns at once, leaves through the outbox and
never fails: it is a wake-up for work that the database already holds.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from oslo_config import cfg
from oslo_log import log as logging

from nova_lite import clock, concurrency, exception, failpoints, manager, outbox, rpc_listener, rpc_memory, rpc_wire
from nova_lite.context import RequestContext
from nova_lite.versions import CURRENT, lower

concurrency.choose_oslo_service_backend()  # oslo.messaging asks for it while being imported

import amqp.exceptions  # noqa: E402
import kombu.exceptions  # noqa: E402
import oslo_messaging as messaging  # noqa: E402
from oslo_messaging import opts as messaging_opts  # noqa: E402

LOG = logging.getLogger(__name__)

EXCHANGE = "nova_lite"
VERSION = "1.0"
RABBIT = "oslo_messaging_rabbit"

messaging.set_transport_defaults(control_exchange=EXCHANGE)  # before anybody registers the option

# Why these differ from oslo.messaging's defaults. An idle consumer looks at its stop flag every
# heartbeat_timeout_threshold / heartbeat_rate / 2 seconds: 10 by default, half a second here, so that a daemon stops
# within two. The other two bound how long after the broker's return we are back.
RABBIT_DEFAULTS = {"heartbeat_rate": 60, "rabbit_interval_max": 4, "kombu_reconnect_delay": 0.5}

# A message that nobody waits for any more is the broker's to drop (its expiration, by one clock). Here only what is
# older than any difference between the clocks of two hosts that we stand; what is done late or twice changes nothing.
SKEW_S = 2 * 3600.0

# oslo.messaging lets its libraries' errors through where it makes a new connection.
BROKER_ERRORS = (messaging.MessageDeliveryFailure, kombu.exceptions.KombuError, amqp.exceptions.AMQPError, OSError)

# What oslo.messaging answers for a server that is too old for a message: it has the version or the verb not.
NOT_UNDERSTOOD = ("UnsupportedVersion", "NoSuchMethod")

# Seconds that connecting may take before a call is given up.
CONNECT_S = 3.0

_transport: Any = None
_outbox: outbox.Outbox | None = None
_conf: Any = None
_answers_come = False
_pin: Callable[[str], str | None] | None = None


def init(conf: cfg.ConfigOpts = cfg.CONF, transport_url: str | None = None) -> None:
    """Open the transport of this process; connections are made when first needed.

    :param conf: oslo's global CONF (oslo.messaging registers some of its options only there).
    :param transport_url: in place of [DEFAULT] transport_url.
    :raises ConfigInvalid: the URL is none, or no driver goes with it.
    """
    global _transport, _outbox, _conf, _answers_come
    cleanup()
    _answers_come = False
    rpc_memory.install()
    try:
        in_memory = messaging.TransportURL.parse(conf, transport_url).transport == "kombu+memory"
        _set_rabbit_defaults(conf, heartbeats=not in_memory)
        _transport = messaging.get_rpc_transport(conf, url=transport_url)
    except (messaging.InvalidTransportURL, messaging.DriverLoadFailure) as error:
        # the text of the first names the URL with its password
        raise exception.ConfigInvalid(
            detail=f"[DEFAULT] transport_url: {getattr(error, 'ex', '') or 'no URL'}; example: rabbit://user:password@host/"
        ) from None
    _conf = conf
    _outbox = outbox.Outbox(_send, size=conf.rpc.outbox_size, ttl_s=conf.rpc.message_ttl)


def set_default_transport(conf: cfg.ConfigOpts, url: str) -> None:
    """What [DEFAULT] transport_url is where the operator set none; before init()."""
    for group, options in messaging_opts.list_opts():
        if group is None:
            conf.register_opts(options)
    conf.set_default("transport_url", url)


def _set_rabbit_defaults(conf: cfg.ConfigOpts, heartbeats: bool) -> None:
    for group, options in messaging_opts.list_opts():
        if str(getattr(group, "name", group)) == RABBIT:
            conf.register_opts(options, group=group)
    for name, value in (RABBIT_DEFAULTS | rpc_listener.RABBIT_DEFAULTS).items():
        conf.set_default(name, value, group=RABBIT)
    conf.set_default("heartbeat_timeout_threshold", 60 if heartbeats else 0, group=RABBIT)


def cleanup(timeout_s: float = 1.0) -> None:
    """Send what waits, for so many seconds, and close the transport, for as many more."""
    global _transport, _outbox, _pin
    if _outbox is not None:
        _outbox.close(timeout_s)
    transport, _outbox, _transport, _pin = _transport, None, None, None
    if transport is not None:
        # With the broker gone closing may hang; the process is about to end anyway.
        try:
            _hurried(transport.cleanup, timeout_s)
        except Exception as error:
            LOG.debug("the transport did not close in time: %s", error)


def _hurried(step: Callable[[], Any], timeout_s: float | None = None) -> None:
    """Do what waits for consumers to look at their stop flag; those of the memory transport are made to look.

    :raises TimeoutError: it took longer than ``timeout_s``.
    """
    doing = concurrency.spawn(step)
    for _ in range(10):
        rpc_memory.wake_all()
        with contextlib.suppress(TimeoutError):
            doing.wait(0.02)
            return
    doing.wait(timeout_s)


def pin_versions(pin: Callable[[str], str | None]) -> None:
    """Until cleanup() no message is of a higher version than ``pin`` says for its topic; None is no limit."""
    global _pin
    _pin = pin


def flush(timeout_s: float = 5.0) -> bool:
    """True when all casts left this process within so many seconds."""
    return _outbox is None or _outbox.flush(timeout_s)


class _Encoded:
    """A value that has its wire form already."""

    def __init__(self, value: Any) -> None:
        self.value = rpc_wire.encode(value)


class _Serializer(messaging.Serializer):  # type: ignore[misc]
    """Contexts and values by rpc_wire; the moment of sending rides on the context. ``decode`` reads what comes."""

    def __init__(self, decode: Callable[[Any], Any]) -> None:
        self._decode = decode

    def serialize_entity(self, ctxt: Any, entity: Any) -> Any:
        return entity.value if isinstance(entity, _Encoded) else rpc_wire.encode(entity)

    def deserialize_entity(self, ctxt: Any, entity: Any) -> Any:
        return self._decode(entity)

    def serialize_context(self, ctxt: Any) -> dict[str, Any]:
        if isinstance(ctxt, dict):
            return ctxt  # made by _wire_context already
        return rpc_wire.context(ctxt, None)

    def deserialize_context(self, ctxt: dict[str, Any]) -> RequestContext:
        context = RequestContext.from_wire(ctxt)
        context.sent_at = ctxt.get("sent_at")
        context.expires_at = ctxt.get("expires_at")
        return context


# -- client ---------------------------------------------------------------------------------------------------------


class Client:
    """Sends to one topic at one version."""

    def __init__(self, topic: str, version: str = VERSION) -> None:
        self.topic = topic
        self.version = version
        self._made: tuple[Any, Any] = (None, None)

    def call(
        self, ctxt: RequestContext, method: str, host: str | None = None, timeout_s: float | None = None, **args: Any
    ) -> Any:
        """Wait for the method's result.

        :raises NovaLiteError: what the method raised, as its own class with its facts.
        :raises CallTimeout: no answer within ``timeout_s`` seconds ([DEFAULT] rpc_response_timeout); it may yet happen.
        :raises BrokerUnavailable: the message could not be sent.
        """
        stub = self._stub()
        timeout = timeout_s if timeout_s is not None else _conf.rpc_response_timeout
        caller = stub.prepare(**self._address(host), timeout=timeout, retry=1)
        failpoints.hit("call", method, "before")
        try:
            answer = _first_call_bounded(timeout, caller.call, rpc_wire.context(ctxt, timeout), method, **args)
        except messaging.MessagingTimeout:
            raise exception.CallTimeout(topic=self.topic, method=method, timeout_s=timeout, host=host) from None
        except BROKER_ERRORS as error:
            raise exception.BrokerUnavailable(reason=str(error)) from None
        except messaging.RemoteError as error:
            if error.exc_type in NOT_UNDERSTOOD:
                raise exception.UnreadableMessage(what=method, topic=self.topic, why=error.value) from None
            text = f"{self.topic}.{method}: {error.exc_type}: {error.value}"
            raise exception.NovaLiteError(text) from None
        except messaging.MessagingException as error:
            raise exception.NovaLiteError(f"{self.topic}.{method}: {error}") from None
        failpoints.hit("call", method, "after")
        if isinstance(answer, exception.NovaLiteError):
            raise answer
        return answer

    def cast(self, ctxt: RequestContext, method: str, host: str | None = None, **args: Any) -> None:
        """Send to one server of the topic, to the one at ``host`` if given; never waits, never fails."""
        failpoints.hit("cast", method, "before")
        self._post(ctxt, method, args, host=host, fanout=False)
        failpoints.hit("cast", method, "after")

    def fanout(self, ctxt: RequestContext, method: str, **args: Any) -> None:
        """Send to every server of the topic; never waits, never fails."""
        self._post(ctxt, method, args, host=None, fanout=True)

    def _post(self, ctxt: RequestContext, method: str, args: dict[str, Any], host: str | None, fanout: bool) -> None:
        # Encoded now: what cannot travel is the caller's error, and later changes must not show.
        wire = {name: _Encoded(value) for name, value in args.items()}
        context = rpc_wire.context(ctxt, _conf.rpc.message_ttl if _conf else None)
        if _outbox is None:
            LOG.warning("cast %s.%s was not sent: messaging is closed", self.topic, method)
        else:
            _outbox.put((self, host, fanout, context, method, wire))

    def _address(self, host: str | None) -> dict[str, str]:
        """To whom, and in a version that is understood there."""
        pin = None if _pin is None else _pin(self.topic)
        version = {} if pin is None else {"version": lower(pin, self.version)}
        return {"server": host, **version} if host else version

    def _stub(self) -> Any:
        """oslo.messaging's client on the transport of now: ours outlives init(), and each of theirs that is made
        registers options again, after which the whole process reads its configuration anew.
        """
        transport, stub = self._made
        if _transport is None:
            raise exception.BrokerUnavailable(reason="messaging is not open")
        if transport is not _transport:
            transport, target = _transport, messaging.Target(topic=self.topic, version=self.version)
            stub = messaging.get_rpc_client(transport, target, serializer=_Serializer(rpc_wire.decode))
            self._made = (transport, stub)
        return stub


def _send(message: tuple[Client, str | None, bool, dict[str, Any], str, dict[str, _Encoded]]) -> None:
    """The outbox's way out."""
    client, host, fanout, context, method, args = message
    client._stub().prepare(**client._address(host), fanout=fanout, retry=1).cast(context, method, **args)


def _first_call_bounded(timeout_s: float, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Make a call, but not wait for ever for the connection that the process's first call opens for all answers."""
    global _answers_come
    if _answers_come:
        return call(*args, **kwargs)
    trying = concurrency.spawn(call, *args, **kwargs)
    try:
        answer = trying.wait(timeout_s + CONNECT_S)
    except TimeoutError:
        raise exception.BrokerUnavailable(reason="no connection for answers") from None
    _answers_come = True
    return answer


def get_client(topic: str, version: str = VERSION) -> Client:
    return Client(topic, version)


# -- server ---------------------------------------------------------------------------------------------------------


def expected(*kinds: type[BaseException]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare errors of an endpoint method that need no traceback in the log, beside the NovaLiteErrors below 500."""

    def mark(method: Callable[..., Any]) -> Callable[..., Any]:
        method.expected_errors = kinds  # type: ignore[attr-defined]
        return method

    return mark


class _Ping:
    """On every server: lets watchdogs and readiness checks go the whole way."""

    def ping(self, ctxt: RequestContext) -> str:
        return "pong"


class _Endpoint:
    """An endpoint's public methods, guarded: late messages are dropped, errors become answers."""

    def __init__(self, endpoint: Any, version: str) -> None:
        self._endpoint = endpoint
        self.target = messaging.Target(version=version)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_") or name in manager.RESERVED:
            raise AttributeError(name)
        method = getattr(self._endpoint, name)
        if not inspect.ismethod(method) and not inspect.isfunction(method):
            raise AttributeError(name)
        return functools.partial(_guarded, method)


def _guarded(method: Callable[..., Any], ctxt: RequestContext, **args: Any) -> Any:
    expires_at = getattr(ctxt, "expires_at", None)
    if expires_at and clock.wall() > expires_at + SKEW_S:
        age_s = rpc_wire.message_age_s(ctxt)
        LOG.warning("%s dropped: the message is %.0f s old, by the clocks of two hosts", method.__name__, age_s)
        late = f"{method.__name__} came {age_s:.0f} s late, by the clocks of two hosts: do they agree?"
        return rpc_wire.travelling(exception.Unavailable(late))
    try:
        unread = next((each.error for each in args.values() if isinstance(each, rpc_wire.Unreadable)), None)
        if unread is not None:
            raise exception.UnreadableMessage(what=method.__name__, topic="its receiver", why=unread)
        return method(ctxt, **args)
    except Exception as error:
        kinds = getattr(method, "expected_errors", ())
        if (isinstance(error, exception.NovaLiteError) and error.status < 500) or isinstance(error, kinds):
            LOG.debug("%s: %s", method.__name__, error)
        else:
            LOG.exception("%s failed", method.__name__)
        # Returned, not raised: oslo.messaging would log and rename it. The client raises it.
        return rpc_wire.travelling(error)


class Server:
    """Takes the messages of a topic, of ``topic.host``, and the topic's fanouts."""

    def __init__(self, topic: str, host: str, endpoints: Iterable[Any], version: str = VERSION) -> None:
        self.topic = topic
        self.host = host
        self._endpoints = [_Endpoint(endpoint, version) for endpoint in (_Ping(), *endpoints)]
        self._server: Any = None

    def start(self) -> None:
        """Begin to take messages; waits, and tries for ever, while nobody listens at the broker's address.

        :raises BrokerUnavailable: somebody does, but refuses: it is just starting, or our credentials are wrong.
        """
        server = self._make()
        try:
            server.start()
        except BROKER_ERRORS as error:
            raise exception.BrokerUnavailable(reason=str(error)) from error
        rpc_listener.answer_who_comes_back(server)
        self._server = server

    def _make(self) -> Any:
        if _transport is None:
            raise exception.BrokerUnavailable(reason="messaging is not open")
        target = messaging.Target(topic=self.topic, server=self.host)
        reading = _Serializer(rpc_wire.decode_argument)
        server = messaging.get_rpc_server(_transport, target, self._endpoints, serializer=reading)
        if not concurrency.is_green():
            # futurist's idle threads notice a shutdown within a second each, the interpreter's own at once
            server._executor_cls = ThreadPoolExecutor
        return server

    def stop(self) -> None:
        """Take no more messages; those being handled go on."""
        if self._server is not None:
            _hurried(self._server.stop)
            rpc_listener.leave_the_rest(self._server)

    def wait(self) -> None:
        """Return when the messages being handled are done and answered."""
        if self._server is not None:
            self._server.wait()

    def answers(self, timeout_s: float = 5.0) -> bool:
        """False when a message to this server was sent and does not come back."""
        try:
            answer = Client(self.topic).call(_nobody(), "ping", host=self.host, timeout_s=timeout_s)
        except exception.BrokerUnavailable:
            return True  # no restart of this process brings the broker back
        except exception.NovaLiteError as error:
            LOG.warning("%s.%s does not answer itself: %s", self.topic, self.host, error)
            return False
        return bool(answer == "pong")


def _nobody() -> RequestContext:
    return RequestContext(overwrite=False)  # for messages that no user caused


def get_server(topic: str, host: str, endpoints: Iterable[Any], version: str | None = None) -> Server:
    """``version`` is the highest whose messages are taken; by default what this code's table says of the topic."""
    return Server(topic, host, endpoints, version or CURRENT.rpc.get(topic, VERSION))
