from __future__ import annotations

from dataclasses import dataclass

import pytest

from nova_lite.virt.libvirt.xml.element import Element, Flag, at, from_xml, inside, legal, to_xml


@dataclass(frozen=True)
class Leaf(Element):
    TAG = "leaf"
    NS = "urn:x"
    size: int = at("@size")
    text: str | None = at("inner", None)


@dataclass(frozen=True)
class Tree(Element):
    TAG = "tree"
    name: str = at("name")
    own: str | None = at("@own", None)
    deep: str | None = at("a/b/@c", None)
    deep_text: str | None = at("a/b", None)
    flag: Flag | None = at("flag", None)
    present: str | None = at("present", None)
    one: Leaf | None = inside("box")
    many: tuple[Leaf, ...] = inside("", ())


FULL = Tree("n", "o", "c", "b", Flag.YES, "", Leaf(1), (Leaf(2, "t"), Leaf(3)))


def squeezed(text: str) -> str:
    return " ".join(text.split())


def test_every_path_writes_to_its_place() -> None:
    assert squeezed(to_xml(FULL)) == (
        '<tree xmlns:ns0="urn:x" own="o"> <name>n</name> <a> <b c="c">b</b> </a> <flag>yes</flag> <present /> '
        '<box> <ns0:leaf size="1" /> </box> '
        '<ns0:leaf size="2"> <ns0:inner>t</ns0:inner> </ns0:leaf> <ns0:leaf size="3" /> </tree>'
    )


def test_what_is_written_reads_back() -> None:
    assert from_xml(Tree, to_xml(FULL)) == FULL
    assert from_xml(Tree, to_xml(Tree("n"))) == Tree("n")


def test_none_is_absent() -> None:
    assert squeezed(to_xml(Tree("n"))) == "<tree> <name>n</name> </tree>"


def test_unknown_elements_are_ignored() -> None:
    assert from_xml(Tree, "<tree new='1'><name>n</name><newer/><leaf size='no namespace'/></tree>") == Tree("n")


@pytest.mark.parametrize(
    "document", ["", "<tree/>", "<tree><name>n</name><ns:leaf xmlns:ns='urn:x' size='big'/></tree>", "<tree>"]
)
def test_reading_refuses(document: str) -> None:
    with pytest.raises(ValueError):
        from_xml(Tree, document)


@pytest.mark.parametrize("value", ["\x00", "a\x1bb", "\ud800", "\ufffe"])
def test_what_xml_cannot_carry_is_refused_and_can_be_removed(value: str) -> None:
    with pytest.raises(ValueError, match="not representable"):
        to_xml(Tree(value))
    assert to_xml(Tree("x" + legal(value)))


def test_markup_is_escaped() -> None:
    hostile = "</name><devices/>\"'&amp;"
    assert from_xml(Tree, to_xml(Tree(hostile, own=hostile))) == Tree(hostile, own=hostile)


def test_a_bare_bool_is_refused() -> None:
    with pytest.raises(ValueError, match="Flag"):
        to_xml(Tree("n", own=True))  # type: ignore[arg-type]
