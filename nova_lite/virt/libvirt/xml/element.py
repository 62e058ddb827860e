"""Typed XML elements: a frozen dataclass whose fields say where in the element they live.

    @dataclass(frozen=True)
    class Rng(Element):
        TAG = "rng"
        model: str = at("@model", "virtio")
        source: str = at("backend", "/dev/urandom")
        kind: str = at("backend/@model", "random")

Field order is document order; None means absent, an empty string an empty element. A path ends in a tag (its text), in
``@name`` (an attribute) or is ``.`` (the element's own text). A field that holds elements gives the path of their
parent, or nothing when that is the element itself. The same declaration writes and reads: :func:`to_xml`,
:func:`from_xml`.
"""

from __future__ import annotations

import dataclasses
import enum
import re
import types
import typing
import xml.etree.ElementTree as ET
from typing import Any, ClassVar, TypeVar

E = TypeVar("E", bound="Element")

# XML 1.0, production 2: what a document may not contain, however escaped; and the carriage return, which a reader may
# turn into a line feed.
_FORBIDDEN = re.compile("[^\t\n\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Flag(enum.StrEnum):
    """A truth value as libvirt spells it at the place in question; a bare bool would print "True"."""

    YES = "yes"
    NO = "no"
    ON = "on"
    OFF = "off"


class Element:
    """Base of all elements; subclasses are frozen dataclasses. ``NS`` qualifies the tag and its children's tags."""

    TAG: ClassVar[str] = ""
    NS: ClassVar[str | None] = None

    @classmethod
    def qualified(cls, tag: str | None = None) -> str:
        """The tag in ElementTree's notation."""
        name = tag or cls.TAG
        return f"{{{cls.NS}}}{name}" if cls.NS else name


def at(path: str, default: Any = dataclasses.MISSING) -> Any:
    """A field that lives at ``path``; without a default it must be given."""
    return dataclasses.field(default=default, metadata={"path": path})


def inside(path: str = "", default: Any = None) -> Any:
    """A field that holds an element, or a tuple of elements, under the parent at ``path``."""
    return dataclasses.field(default=default, metadata={"path": path, "elements": True})


def legal(text: str) -> str:
    """The text without what XML cannot carry, such as control characters in a server's name."""
    return _FORBIDDEN.sub("", text)


# -- writing --------------------------------------------------------------------------------------------------------


def to_xml(element: Element) -> str:
    """The document.

    :raises ValueError: a value has a character that XML cannot carry.
    """
    tree = to_etree(element)
    ET.indent(tree)
    return ET.tostring(tree, encoding="unicode")


def to_etree(element: Element) -> ET.Element:
    node = ET.Element(element.qualified())
    for field in dataclasses.fields(element):  # type: ignore[arg-type]
        value = getattr(element, field.name)
        if value is not None:
            _write(element, node, field, value)
    return node


def _write(element: Element, node: ET.Element, field: dataclasses.Field[Any], value: Any) -> None:
    path = field.metadata["path"]
    if field.metadata.get("elements"):
        children = value if isinstance(value, tuple) else (value,)
        if children:
            parent = _descend(element, node, path)
            parent.extend([to_etree(child) for child in children])
        return
    where, _, name = path.rpartition("@")
    text = _text(value)
    if name and "@" in path:
        _descend(element, node, where).set(name, text)
    else:
        _descend(element, node, path).text = text


def _descend(element: Element, node: ET.Element, path: str) -> ET.Element:
    """The node at the end of the path, made where it is missing."""
    for tag in path.strip("/").split("/"):
        if tag not in ("", "."):
            found = node.find(element.qualified(tag))
            node = ET.SubElement(node, element.qualified(tag)) if found is None else found
    return node


def _text(value: Any) -> str:
    if isinstance(value, bool):
        raise ValueError("a bool has no spelling in XML: use Flag")
    text = str(value)
    if _FORBIDDEN.search(text):
        raise ValueError(f"not representable in XML: {text[:40]!r}")
    return text


# -- reading --------------------------------------------------------------------------------------------------------


def from_xml(cls: type[E], document: str) -> E:
    """Read what ``cls`` declares from a document; whatever else is in it is ignored.

    :raises ValueError: it is not XML, or a value that must be there is not.
    """
    try:
        node = ET.fromstring(document)
    except ET.ParseError as error:
        raise ValueError(f"not XML: {error}") from error
    return from_etree(cls, node)


def from_etree(cls: type[E], node: ET.Element) -> E:
    hints = typing.get_type_hints(cls)
    values = {}
    for field in dataclasses.fields(cls):  # type: ignore[arg-type]
        value = _read(cls, node, field, hints[field.name])
        if value is not None:
            values[field.name] = value
        elif field.default is None:
            values[field.name] = None
    try:
        return cls(**values)
    except TypeError as error:
        raise ValueError(f"<{cls.TAG}>: {error}") from error


def _read(cls: type[Element], node: ET.Element, field: dataclasses.Field[Any], hint: Any) -> Any:
    path = field.metadata["path"]
    if field.metadata.get("elements"):
        return _read_elements(cls, node, path, hint)
    where, _, name = path.rpartition("@")
    found = _seek(cls, node, where if "@" in path else path)
    if found is None:
        return None
    text = found.get(name) if "@" in path else found.text or ""
    return None if text is None else _convert(hint, text)


def _read_elements(cls: type[Element], node: ET.Element, path: str, hint: Any) -> Any:
    parent = _seek(cls, node, path)
    kinds = [kind for kind in _leaves(hint) if isinstance(kind, type) and issubclass(kind, Element)]
    many = "tuple" in str(hint)
    by_tag = {kind.qualified(): kind for kind in kinds}
    found = [
        from_etree(by_tag[child.tag], child) for child in (() if parent is None else parent) if child.tag in by_tag
    ]
    if many:
        return tuple(found)
    return found[0] if found else None


def _seek(cls: type[Element], node: ET.Element, path: str) -> ET.Element | None:
    found: ET.Element | None = node
    for tag in path.strip("/").split("/"):
        if tag not in ("", ".") and found is not None:
            found = found.find(cls.qualified(tag))
    return found


def _leaves(hint: Any) -> list[Any]:
    """The classes a hint is made of, through unions and tuples."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType, tuple):
        return [leaf for argument in typing.get_args(hint) for leaf in _leaves(argument)]
    return [hint]


def _convert(hint: Any, text: str) -> Any:
    for kind in _leaves(hint):
        if isinstance(kind, type) and (kind is int or issubclass(kind, enum.Enum)):
            return kind(text.strip())
    return text
