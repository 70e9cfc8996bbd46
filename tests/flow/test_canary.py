"""Not a byte of an incognito chat is in any file: while it is open, after it, and after a kill."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.real_model

CANARY, DRAFT, CONTROL = "quizzacanarious", "draftacanarious", "ordinarycanarious"

WINDOW = """
import sys
from dataclasses import replace
from PySide6.QtCore import QTimer
from app import main
from app.domain.chat import Role
from app.services.choices import ModelChoices
from app.ui import application

run, choices_of = application.run, ModelChoices.of

def short(self, model):
    chosen = choices_of(self, model)
    return replace(chosen, settings=replace(chosen.settings, max_tokens=4))

def steps(window):
    page, chat = window.page, window.page.chat
    long = " and ".join(f"{{word}} {{n}}" for n in range(16) for word in ("foxes", "owls"))
    def idle():
        return not chat.sending and not chat.lives
    def say(text):
        page.composer.fill(text, text)
        page.composer.submit()
    yield lambda: chat.model is not None and chat.choices_known
    say("{control} " + long)
    yield lambda: chat.last(Role.ASSISTANT) and idle()
    window.incognito.begin()
    yield lambda: chat.incognito
    chat.set_system_prompt("Be kind to {canary}.")
    say("{canary} " + long)
    yield lambda: chat.last(Role.ASSISTANT) and idle()
    chat.regenerate(chat.last(Role.ASSISTANT))
    yield lambda: idle()
    chat.send("{canary} once more", chat.last(Role.USER))
    yield lambda: idle() and len(chat.state.tree.messages) == 5
    page.composer.fill("{draft}", "{draft}")
    page.composer.flush_draft()
    window._shelf.load()
    yield lambda: True
    print("typed", flush=True)

def run_and_type(qt, window, start):
    left = steps(window)
    waiting = [next(left)]
    def look():
        if waiting[0]():
            waiting[0] = next(left, None) or (lambda: False)
    timer = QTimer(interval=20)
    timer.timeout.connect(look)
    def begin():
        start()
        timer.start()
    return run(qt, window, begin)

ModelChoices.of, application.run = short, run_and_type
sys.exit(main.main([]))
"""


def written(home: Path, temporary: Path, process: int | None = None) -> Iterator[tuple[str, bytes]]:
    """Yield what is in the files of both folders, and in those of no name that a process has open."""
    for path in (*home.rglob("*"), *temporary.rglob("*")):
        if path.is_file():
            yield str(path), path.read_bytes()
    for link in Path(f"/proc/{process}/fd").glob("*") if process else ():
        if str(link.readlink()).endswith(" (deleted)"):
            yield str(link.readlink()), link.read_bytes()


def found(word: str, files: Iterator[tuple[str, bytes]]) -> list[str]:
    forms = (word.encode(), word.encode("utf-16-le"), word.encode().hex().encode())
    return [name for name, content in files if any(form in content for form in forms)]


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGTERM to send")
@pytest.mark.parametrize("end", ["quit", "kill"])
def test_an_incognito_chat_leaves_no_byte(tmp_path: Path, end: str) -> None:
    home, temporary = tmp_path / "home", tmp_path / "tmp"
    temporary.mkdir()
    environment = os.environ | {
        "FIRESIDE_HOME": str(home),
        "QT_QPA_PLATFORM": "offscreen",
        "TMPDIR": str(temporary),
        "SQLITE_TMPDIR": str(temporary),
    }
    code = WINDOW.format(canary=CANARY, draft=DRAFT, control=CONTROL)
    with subprocess.Popen(
        [sys.executable, "-c", code], env=environment, text=True, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "typed\n"
        assert found(CONTROL, written(home, temporary, process.pid)), "nothing would be found"
        for word in (CANARY, DRAFT):
            assert found(word, written(home, temporary, process.pid)) == []
        process.send_signal(signal.SIGTERM if end == "quit" else signal.SIGKILL)
        assert process.wait(30) == (0 if end == "quit" else -signal.SIGKILL)
    for word in (CANARY, DRAFT):
        assert found(word, written(home, temporary)) == []
    if end == "quit":  # what the model read of the other chat is kept, and only that
        assert len(list(home.rglob("*.state"))) == 1
