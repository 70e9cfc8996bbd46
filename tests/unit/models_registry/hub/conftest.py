"""A hub on this computer, and the client that asks it."""

from collections.abc import Iterator

import pytest
from loopback_hub import LoopbackHub

from models_registry.hub.client import Hub


@pytest.fixture
def hub() -> Iterator[LoopbackHub]:
    """The hub; whatever a test does, no trap may be hit and no token may leave it."""
    with LoopbackHub() as hub:
        yield hub
        assert not hub.trapped
        assert not hub.violations


@pytest.fixture
def client(hub: LoopbackHub) -> Iterator[Hub]:
    with Hub(hub.endpoint, patience=5) as client:
        yield client
