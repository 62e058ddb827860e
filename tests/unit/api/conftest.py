"""The compute API with a compute door that remembers, and a database in memory for what it reads itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nova_lite import conf as nova_conf
from nova_lite import policy
from tests.harness.compute_api import ComputeApi, FakeCompute
from tests.harness.database import fresh_database


@pytest.fixture(scope="session", autouse=True)
def configuration() -> None:
    """The defaults of every option."""
    nova_conf.register_all()
    nova_conf.CONF([], project="nova-lite", default_config_files=[], default_config_dirs=[])


@pytest.fixture(scope="module", autouse=True)
def rules(configuration: None) -> Iterator[None]:
    """The catalogue's rules, whatever another room's test left."""
    policy.reset()
    yield
    policy.reset()


@pytest.fixture
def database() -> Iterator[None]:
    with fresh_database():
        yield


@pytest.fixture
def compute() -> FakeCompute:
    return FakeCompute()


@pytest.fixture
def api(compute: FakeCompute, database: None) -> ComputeApi:
    return ComputeApi(compute)
