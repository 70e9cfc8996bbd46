"""llama-bench, the peer: llama.cpp's own tool for speed, built from what the installed engine was built from.

`python tests/perf/llama_bench.py` builds it and prints where it is. The source archive is the locked one of
llama-cpp-python, which carries llama.cpp whole; the CMake settings are those of the engine's own build.
Everything lies in the user's cache folder, outside the tree, under a name that changes with the version, the
settings and the processor; what was built there before is taken as it is.
"""

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "packaging"))

import backends
import steps

JOBS = "2"
# Nothing but the tool is wanted. llama-cpp-python's own CMake file builds no tools, so llama.cpp's is used.
TOOL_FLAGS = (
    "-DCMAKE_BUILD_TYPE=Release",
    "-DBUILD_SHARED_LIBS=ON",
    "-DLLAMA_BUILD_TOOLS=ON",
    "-DLLAMA_BUILD_COMMON=ON",
    "-DLLAMA_BUILD_SERVER=OFF",
    "-DLLAMA_BUILD_APP=OFF",
    "-DLLAMA_BUILD_EXAMPLES=OFF",
    "-DLLAMA_BUILD_TESTS=OFF",
)


def lock() -> str:
    """Return the lines of the lock file that name the engine's source archive and its hash."""
    return steps.locked(steps.ENGINE, (steps.LOCKS / "requirements.txt").read_text(encoding="utf-8"))


def folder() -> Path:
    """Return where source and build lie."""
    engine = steps.wheel_folder(lock(), backends.choose(os.environ))
    return engine.parent.parent / "fireside-perf" / engine.name


def binary() -> Path:
    """Return where the tool is, or will be."""
    return folder() / "build" / "bin" / ("llama-bench.exe" if sys.platform == "win32" else "llama-bench")


def build() -> Path:
    """Build the tool unless that was done before; return its path.

    Raises:
        subprocess.CalledProcessError: When fetching or building failed; its output is on the standard error.
    """
    if not binary().exists():
        source = folder() / "source"
        if not source.exists():
            _fetch(source)
        made = folder() / "build"
        flags = [*TOOL_FLAGS, *backends.choose(os.environ).cmake_args.split()]
        generator = ["-G", "Ninja"] if _program("ninja") else []
        _run(
            [
                _program("cmake"),
                "-S",
                str(source / "vendor" / "llama.cpp"),
                "-B",
                str(made),
                *generator,
                *flags,
            ]
        )
        _run(
            [
                _program("cmake"),
                "--build",
                str(made),
                "--config",
                "Release",
                "--target",
                "llama-bench",
                "-j",
                JOBS,
            ]
        )
    return binary()


def _fetch(source: Path) -> None:
    """Put the unpacked archive at `source`, whole or not at all."""
    source.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=source.parent) as scratch:
        requirements = Path(scratch) / "requirements.txt"
        requirements.write_text(lock(), encoding="utf-8")
        pip = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--require-hashes",
            "--no-deps",
            "--no-binary",
            ":all:",
        ]
        _run([*pip, "--disable-pip-version-check", "-d", scratch, "-r", str(requirements)])
        (archive,) = Path(scratch).glob("*.tar.gz")
        with tarfile.open(archive) as packed:
            packed.extractall(scratch, filter="data")
        (unpacked,) = (entry for entry in Path(scratch).iterdir() if entry.is_dir())
        unpacked.replace(source)


def _program(name: str) -> str:
    """Return the environment's own program, or else the system's; empty when there is none."""
    own = steps.program(name)
    return str(own) if own.exists() else shutil.which(name) or ""


def _run(command: list[str]) -> None:
    if hasattr(os, "nice"):
        command = ["nice", *command]
    subprocess.run(command, check=True, stdout=sys.stderr)


if __name__ == "__main__":
    print(build())
