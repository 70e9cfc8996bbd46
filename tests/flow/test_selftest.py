"""`fireside --selftest`: an installation looks at itself."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

# What the check of a footprint must see: how a file is written, and how a network is reached.
STRAYS = """
import os, socket, sys, tempfile
from pathlib import Path
from app.services.selftest import Footprint, outcome

home, outside = map(Path, sys.argv[1:])
footprint = Footprint([home])
footprint.watch()
(home / "chats").mkdir()
(home / "chats" / "a").write_text("inside")
Path(os.devnull).write_text("nowhere")
Path(__import__("app").__file__).read_text()
socket.socketpair()
print(outcome(footprint.files), outcome(footprint.sockets), sep="\\n")
{stray}
print(outcome(footprint.files), outcome(footprint.sockets), sep="\\n")
"""


def selftest(home: Path | None, code: str = "") -> tuple[int, dict[str, Any]]:
    start = ["-c", f"import sys\nfrom app.main import main\n{code}\nsys.exit(main(['--selftest']))"]
    environment = {
        name: value for name, value in os.environ.items() if name not in ("FIRESIDE_HOME", "DISPLAY")
    }
    if home:
        environment["FIRESIDE_HOME"] = str(home)
    done = subprocess.run(
        [sys.executable, "-B", *start],
        env=environment,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    return done.returncode, json.loads(done.stdout)


@pytest.mark.real_model
def test_an_installation_that_is_whole_passes() -> None:
    code, found = selftest(None)
    assert (code, found["passed"]) == (0, True), found
    assert found["checks"]["engine"]["text"]
    assert found["checks"]["qt"]["platform"] == "offscreen"


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    missing = """
from app.services import selftest
from models_registry import starter
selftest._KEYRING = ("keyring.backends.of_nobody",)
starter.DISTRIBUTION = "no-such-model"
selftest._hub = lambda: __import__("socket").getaddrinfo("localhost", 1) and {}
"""
    code, found = selftest(tmp_path, missing)
    failed = {name for name, check in found["checks"].items() if not check["passed"]}
    assert (code, found["passed"], failed) == (1, False, {"engine", "keyring", "sockets"})
    assert "the starter model is missing" in found["checks"]["engine"]["problem"]
    assert (tmp_path / "chats.db").exists()


@pytest.mark.parametrize(
    ("stray", "seen"),
    [
        ("(outside / 'b').write_bytes(b'')", "files"),
        ("(outside / 'c').mkdir()", "files"),
        ("(home / 'chats' / 'a').rename(outside / 'd')", "files"),
        ("os.open(outside / 'e', os.O_RDWR | os.O_CREAT)", "files"),
        ("socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)", "sockets"),
    ],
)
def test_nothing_goes_astray_unseen(tmp_path: Path, stray: str, seen: str) -> None:
    for name in ("home", "outside"):
        (tmp_path / name).mkdir()
    done = subprocess.run(
        [sys.executable, "-B", "-c", STRAYS.format(stray=stray), tmp_path / "home", tmp_path / "outside"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    passed = ["'passed': True" in line for line in done.stdout.splitlines()]
    assert passed == [True, True, seen != "files", seen != "sockets"], done.stdout
