"""What the tests of the engine share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.engine import native
from app.engine.model import LoadedModel


@pytest.fixture(scope="session")
def model(smollm2: Path) -> Iterator[LoadedModel]:
    """SmolLM2 in memory, without a context. Read only."""
    native.start()
    model = LoadedModel(smollm2, lambda _fraction: True)
    yield model
    model.close()
