"""Writes the lock files: names, versions, hashes and markers for every system, and no address."""

import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from steps import LOCKS, ROOT, SetupStoppedError

UV = "uv==0.13.9"

# The lock files in the order in which each is held to the versions of those before it.
FILES = {
    "requirements.txt": ["pyproject.toml"],
    "requirements-build.txt": ["--group", "build"],
    "requirements-dev.txt": ["--group", "dev"],
    "requirements-bundle.txt": ["--group", "bundle"],
    "requirements-starter.txt": ["--group", "starter", "--no-deps"],
    "requirements-test-models.txt": ["--group", "test-models", "--no-deps"],
}
OPTIONS = [
    "--universal",
    "--python-version",
    "3.11",
    "--generate-hashes",
    "--no-header",
    "--no-annotate",
    "--quiet",
]


def lock(*, upgrade: bool) -> int:
    """Write every lock file from pyproject.toml, keeping the versions that still fit unless `upgrade`."""
    with tempfile.TemporaryDirectory() as scratch:
        print("Installing uv for a moment: about 10 seconds …", file=sys.stderr)
        venv.create(scratch, with_pip=True)
        programs = Path(scratch) / ("Scripts" if sys.platform == "win32" else "bin")
        _run([str(programs / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", UV])
        constraints: list[str] = []
        for name, source in FILES.items():
            print(f"Writing packaging/{name} …", file=sys.stderr)
            file = os.path.relpath(LOCKS / name, ROOT)
            more = ["--upgrade"] if upgrade else []
            _run([str(programs / "uv"), "pip", "compile", *OPTIONS, *more, *source, *constraints, "-o", file])
            if "://" in (ROOT / file).read_text(encoding="utf-8"):
                raise SetupStoppedError(f"packaging/{name} has an address in it, and must not.")
            constraints += ["-c", file]
    return 0


def _run(command: list[str]) -> None:
    if subprocess.call(command, cwd=ROOT):
        raise SetupStoppedError("That did not work: nothing else was changed.")
