"""What the tests of whole commands share."""

import logging
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def log() -> Iterator[None]:
    """Leave the log as it was: a command that runs in a process of its own need not."""
    fireside = logging.getLogger("fireside")
    before, propagates = list(fireside.handlers), fireside.propagate
    yield
    for handler in set(fireside.handlers) - set(before):
        fireside.removeHandler(handler)
        handler.close()
    fireside.propagate, logging.raiseExceptions = propagates, True
