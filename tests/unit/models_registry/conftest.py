"""The libraries that will read the model files."""

import pytest
from ggml_library import Ggml


@pytest.fixture(scope="session")
def ggml() -> Ggml:
    return Ggml()
