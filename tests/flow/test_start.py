"""How the app starts: fast, once, and without touching the network."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_models import tiny

SLOW = ("llama_cpp", "numpy", "huggingface_hub", "sqlite_utils", "pysqlite3", "sqlite3")

WINDOW = """
import sys
from app.ui import application
from app import main

run = application.run

def run_and_tell(qt, window, start):
    def tell():
        print("painted before:", [name for name in {slow!r} if name in sys.modules])
        start()
        {then}
    return run(qt, window, tell)

application.run = run_and_tell
sys.exit(main.main(sys.argv[1:]))
"""


def open_window(home: Path, then: str, *words: str) -> "subprocess.Popen[str]":
    environment = os.environ | {"FIRESIDE_HOME": str(home), "QT_QPA_PLATFORM": "offscreen"}
    code = WINDOW.format(slow=SLOW, then=then)
    return subprocess.Popen(
        [sys.executable, "-c", code, *words],
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_the_window_is_painted_before_anything_slow_is_imported(tmp_path: Path) -> None:
    process = open_window(tmp_path, "qt.quit()")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "painted before: []" in out


def test_a_second_start_raises_the_first_window_and_ends(tmp_path: Path) -> None:
    # The window comes to the front by showing itself once more.
    hear = "type(window).show = lambda self: (print('raised', flush=True), qt.quit()); print(flush=True)"
    first = open_window(tmp_path, hear)
    assert first.stdout is not None
    assert "painted" in first.stdout.readline()
    assert first.stdout.readline() == "\n"
    second = open_window(tmp_path, "print('a second window')")
    out, err = second.communicate(timeout=60)
    assert (second.returncode, out) == (0, ""), err
    out, err = first.communicate(timeout=60)
    assert "raised" in out
    assert first.returncode == 0, err


LISTED = """
        from PySide6.QtCore import QTimer
        listed = QTimer(window, interval=20)
        name = lambda: [model.name for model in main_models.known if str(model.path) == sys.argv[1]]
        listed.timeout.connect(lambda: name() and (print("listed:", *name()), qt.quit()))
        main_models = window.model_sheets._desk._models
        listed.start()
"""


def test_a_model_that_the_system_asks_to_open_is_put_on_the_list(tmp_path: Path) -> None:
    file = tmp_path / "Some Model.GGUF"
    tiny().write(file)
    process = open_window(tmp_path / "home", LISTED.strip(), str(file))
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "listed: " in out


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="needs a network namespace")
@pytest.mark.real_model
def test_everything_works_where_there_is_no_network_at_all(tmp_path: Path) -> None:
    answer = subprocess.run(
        ["unshare", "-n", sys.executable, "-m", "app", "ask", "Hello", "--max-tokens", "4"],
        env=os.environ | {"FIRESIDE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.strip()


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGTERM to send")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_window_closes_when_the_system_asks(tmp_path: Path, number: signal.Signals) -> None:
    process = open_window(tmp_path, "print(flush=True)")
    assert process.stdout is not None
    assert "painted" in process.stdout.readline()
    process.stdout.readline()
    process.send_signal(number)
    _out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert (tmp_path / "window.ini").exists()
