"""Chats out of the history and into it, from the terminal."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.domain.chat_file import from_object
from app.main import main

SAID = [{"from": "human", "value": "Tea?"}, {"from": "gpt", "value": "Boil water."}]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Run one command; return what it printed, to the side its code says."""

    def run(*words: object, code: int = 0) -> str:
        assert main(["history", *map(str, words), "--home", str(tmp_path / "home")]) == code
        out, err = capsys.readouterr()
        return err if code else out

    return run


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    path = tmp_path / "chats.jsonl"
    other = [{"from": "human", "value": "Coffee?"}, SAID[1]]
    path.write_text(
        "\n".join(json.dumps({"conversations": each}) for each in (SAID, other)), encoding="utf-8"
    )
    return path


def test_in_and_out_and_in_again(run, foreign: Path, tmp_path: Path) -> None:
    assert run("import", foreign, "--dry-run").startswith("2 chats with 4 messages from ShareGPT\n")
    assert run() == "There are no chats yet.\n"
    assert json.loads(run("import", foreign, "--json"))["chats"] == 2
    assert "2 chats are here already" in run("import", foreign)
    shown = run("export", 1)
    assert shown.startswith("# Tea?\n\n## You")
    assert shown.endswith("Boil water.\n")
    assert len(run("export", "--all", "--format", "sharegpt").splitlines()) == 2
    lines = [json.loads(line) for line in run("export", "--all", "--format", "json").splitlines()]
    assert {from_object(line).chat.title for line in lines} == {"Tea?", "Coffee?"}
    out = tmp_path / "all.jsonl"
    assert run("export", "--all", "--format", "json", "--to", out) == f"2 chats are in {out}\n"
    assert main(["history", "import", str(out), "--home", str(tmp_path / "other")]) == 0


def test_files_of_every_kind(run, foreign: Path, tmp_path: Path) -> None:
    run("import", foreign)
    folder = tmp_path / "pages"
    made = json.loads(run("export", "--all", "--format", "html", "--to", folder, "--json"))
    assert made == {"path": str(folder), "chats": 2, "files": 2}
    assert sorted(path.name for path in folder.iterdir()) == ["Coffee.html", "Tea.html"]
    # In a process of its own: it makes what Qt needs to print, and here may be a window's.
    words = [
        "history",
        "export",
        "1",
        "--format",
        "pdf",
        "--to",
        tmp_path / "a.pdf",
        "--home",
        tmp_path / "home",
    ]
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    done = subprocess.run(
        [sys.executable, "-m", "app", *words], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF-")


def test_what_cannot_be_done_is_said(run, foreign: Path, tmp_path: Path) -> None:
    assert "There are no chats" in run("export", "--all", "--to", tmp_path / "x", code=3)
    assert "could not be opened" in run("import", tmp_path / "gone.zip", code=3)
    run("import", foreign)
    assert "--to" in run("export", "--all", code=3)
    assert "--to" in run("export", 1, "--format", "pdf", code=3)
    assert "no longer exists" in run("export", 99, code=3)
    assert "already" in run("export", 1, "--to", foreign, code=3)
