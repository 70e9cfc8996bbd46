"""The commands of dev.py."""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import backends
import environment
import lock
import system_packages
from steps import ROOT, SetupStoppedError, program

# What must pass, in the order of how long it takes: what it is called, the command, what to do when it fails.
CHECKS = (
    ("Style", ["ruff", "check"], "`.venv/bin/ruff check --fix` mends most of it."),
    ("Format", ["ruff", "format", "--check"], "`.venv/bin/ruff format` mends it."),
    ("Imports", ["lint-imports"], "app/ARCHITECTURE.md says who may import whom."),
    ("Types", ["mypy"], ""),
    ("Tests", ["pytest"], ""),
)


def main(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code: 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
    parser = _parser()
    # `run` and `test` hand everything on, also what looks like an option of this program.
    handed_on = arguments[1:] if arguments[:1] in (["run"], ["test"]) else []
    chosen = parser.parse_args(arguments[: len(arguments) - len(handed_on)])
    try:
        if chosen.command == "run":
            run(handed_on)
        if chosen.command == "test":
            return test(handed_on)
        if chosen.command == "shots":
            return shots(Path(chosen.folder))
        if chosen.command == "translate":
            return translate()
        return lock.lock(upgrade=chosen.upgrade)
    except backends.UnusableBackendError as problem:
        print(problem, file=sys.stderr)
        return 2
    except SetupStoppedError as problem:
        print(problem, file=sys.stderr)
        return 1
    except OSError as problem:
        print(f"The set-up cannot go on: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130


def run(arguments: Sequence[str]) -> NoReturn:
    """Start the app; on POSIX it takes this process over, so that signals and its exit code are its own."""
    command = [str(environment.prepare()), "-P", "-m", "app", *arguments]  # -P: not another `app` lying here
    if sys.platform == "win32":
        sys.exit(subprocess.call(command))
    os.execv(command[0], command)  # noqa: S606


def test(arguments: Sequence[str]) -> int:
    """Run every check, `arguments` going to pytest, and stop at the first that fails."""
    began = time.monotonic()
    environment.prepare(checks=True)
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    for name, command, advice in CHECKS:
        started = time.monotonic()
        print(f"\n{name}: {' '.join(command)}", flush=True)
        more = arguments if name == "Tests" else []
        code = subprocess.call([str(program(command[0])), *command[1:], *more], cwd=ROOT)
        if code:
            print(f"\n{name} did not pass ({' '.join(command)}). {advice}".rstrip(), flush=True)
            return 1
        print(f"{name} passed in {time.monotonic() - started:.0f} s", flush=True)
    print(f"\nEvery check passed in {time.monotonic() - began:.0f} s", flush=True)
    return 0


def shots(folder: Path) -> int:
    """Write pictures of every screen into `folder`."""
    fonts = system_packages.missing_picture_fonts()
    if system_packages.has_apt() and (lack := system_packages.install(fonts)):
        print(f"Chinese may be missing in the pictures. {lack}", file=sys.stderr)
    python = environment.prepare()
    with tempfile.TemporaryDirectory() as home:
        setting = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "FIRESIDE_HOME": home}
        command = [str(python), str(ROOT / "packaging" / "shots.py"), str(folder.resolve())]
        return subprocess.call(command, env=setting)


def translate() -> int:
    """Bring the catalogues in assets/translations up to date with the code."""
    python = environment.prepare(checks=True)
    return subprocess.call([str(python), str(ROOT / "packaging" / "translations.py")])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dev.py",
        description="Sets Fireside up in .venv and starts or checks it.",
        epilog="FIRESIDE_BACKEND=cpu|metal|cuda|vulkan chooses what llama.cpp computes with; "
        "CMAKE_ARGS adds to its build settings.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser(
        "run", help="start the app; what follows is handed on to it: run ask “Hello”", add_help=False
    )
    commands.add_parser("test", help="run every check; what follows is handed on to pytest", add_help=False)
    pictures = commands.add_parser("shots", help="write pictures of every screen into a folder")
    pictures.add_argument("folder", metavar="DIR")
    commands.add_parser("translate", help="bring the translations up to date with the code, and compile them")
    locking = commands.add_parser("lock", help="write the lock files anew after a change of pyproject.toml")
    locking.add_argument("--upgrade", action="store_true", help="take the newest versions that fit")
    return parser
