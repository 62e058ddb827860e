"""The NUMA layout that a flavor or an image asks for."""

from __future__ import annotations

import pytest

from nova_lite.compute.numa import Layout, Node, layout
from nova_lite.objects import ImageMeta
from tests.harness.builders import make_flavor

TWO = (Node(0, (0, 1), 512), Node(1, (2, 3), 512))
UNEVEN = {"hw:numa_nodes": "2", "hw:numa_cpus.0": "0-2,^1", "hw:numa_cpus.1": "1,3"}


@pytest.mark.parametrize(
    ("specs", "expected"),
    [
        ({}, Layout()),
        ({"hw:numa_nodes": "2"}, Layout(TWO)),
        ({"hw:numa_nodes": "2", "hw:mem_page_size": "2MB"}, Layout(TWO, 2048)),
        ({"hw:mem_page_size": "large"}, Layout((Node(0, (0, 1, 2, 3), 1024),), 2048)),
        ({"hw:mem_page_size": "4"}, Layout((Node(0, (0, 1, 2, 3), 1024),), 4)),
        ({"hw:mem_page_size": "any"}, Layout()),
        ({"hw:mem_page_size": "huge"}, Layout()),
        (UNEVEN | {"hw:numa_mem.0": "1000", "hw:numa_mem.1": "24"},
         Layout((Node(0, (0, 2), 1000), Node(1, (1, 3), 24)))),
        (UNEVEN | {"hw:numa_mem.0": "1000", "hw:numa_mem.1": "25"}, Layout()),
        ({"hw:numa_nodes": "3"}, Layout()),
        ({"hw:numa_nodes": "5"}, Layout()),
        ({"hw:numa_nodes": "0"}, Layout()),
        ({"hw:numa_nodes": "x"}, Layout()),
        ({"hw:numa_nodes": "2", "hw:numa_cpus.0": "0-1"}, Layout()),
        ({"hw:numa_nodes": "2", "hw:numa_cpus.0": "0-9999999999", "hw:numa_cpus.1": "1"}, Layout()),
        ({"hw:numa_nodes": "9" * 100}, Layout()),
    ],
)  # fmt: skip
def test_what_a_flavor_asks_for(specs: dict[str, str], expected: Layout) -> None:
    assert layout(make_flavor(vcpus=4, memory_mb=1024, extra_specs=specs), None) == expected


def test_an_image_counts_where_the_flavor_says_nothing() -> None:
    image = ImageMeta(id="i", properties={"hw_numa_nodes": "2", "hw_mem_page_size": "small"})
    plain, single = make_flavor(vcpus=4, memory_mb=1024), {"hw:numa_nodes": "1"}
    assert layout(plain, image) == Layout(TWO, 4)
    flavor = make_flavor(vcpus=4, memory_mb=1024, extra_specs=single)
    assert layout(flavor, image) == Layout((Node(0, (0, 1, 2, 3), 1024),), 4)
