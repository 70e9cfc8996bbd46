"""A second start raises the first window."""

import subprocess
import sys
from pathlib import Path

from PySide6.QtCore import QObject

from app.storage.folders import InstanceLock
from app.ui.single_instance import instance_name, is_first, listen, raise_first

SECOND = """
import sys
from pathlib import Path
from PySide6.QtCore import QCoreApplication
from app.ui.single_instance import instance_name, raise_first
application = QCoreApplication([])
sys.exit(0 if raise_first(instance_name(Path(sys.argv[1]))) else 1)
"""


def test_names_differ_by_folder(tmp_path):
    assert instance_name(tmp_path) == instance_name(Path(str(tmp_path)))
    assert instance_name(tmp_path) != instance_name(tmp_path / "other")


def test_nobody_listens(qapp, tmp_path):
    assert raise_first(instance_name(tmp_path)) is False


def test_a_second_process_raises_the_first(qapp, qtbot, tmp_path):
    raised = []
    owner = QObject()
    assert listen(instance_name(tmp_path), lambda: raised.append(1), owner)
    second = subprocess.Popen([sys.executable, "-c", SECOND, str(tmp_path)])
    qtbot.waitUntil(lambda: second.poll() is not None and raised == [1], timeout=20_000)
    assert second.returncode == 0
    owner.deleteLater()


def test_a_second_process_hands_over_the_file_that_it_was_to_open(qapp, qtbot, tmp_path):
    opened, raised, owner = [], [], QObject()
    assert listen(instance_name(tmp_path), lambda: raised.append(1), owner, opened.append)
    file = tmp_path / "模型 of mine.gguf"
    code = SECOND.replace("sys.argv[1]))", "sys.argv[1])), Path(sys.argv[2])")
    second = subprocess.Popen([sys.executable, "-c", code, str(tmp_path), str(file)])
    qtbot.waitUntil(lambda: second.poll() is not None and opened == [file], timeout=20_000)
    assert (second.returncode, raised) == (0, [1])
    owner.deleteLater()


CLOSING = """
import sys, time
from pathlib import Path
from PySide6.QtCore import QCoreApplication, QObject, QTimer
from app.storage.folders import InstanceLock
from app.ui.single_instance import instance_name, is_first, listen
folder = Path(sys.argv[1])
application, name = QCoreApplication([]), instance_name(folder)
lock, raised = InstanceLock(folder / "lock"), []
assert is_first(name, lock.acquire)
listen(name, lambda: raised.append(1), QObject(application))
print("open", flush=True)
QTimer.singleShot(0, application.quit)
application.exec()
print("closing", flush=True)
time.sleep(0.3)
sys.exit(len(raised))
"""


def test_a_start_while_the_window_is_closing_opens_another(qapp, tmp_path):
    command = [sys.executable, "-c", CLOSING, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as first:
        assert (first.stdout.readline(), first.stdout.readline()) == ("open\n", "closing\n")
        lock = InstanceLock(tmp_path / "lock")
        assert not lock.acquire()
        assert is_first(instance_name(tmp_path), lock.acquire)
        assert first.wait() == 0
    lock.release()


def test_a_start_while_the_window_is_open_opens_none(qapp, qtbot, tmp_path):
    raised, owner = [], QObject()
    assert listen(instance_name(tmp_path), lambda: raised.append(1), owner)
    assert not is_first(instance_name(tmp_path), lambda: False)
    qtbot.waitUntil(lambda: raised == [1])
    owner.deleteLater()


def test_the_socket_of_a_dead_start_is_taken_over(qapp, qtbot, tmp_path):
    first, second = QObject(), QObject()
    raised = []
    assert listen(instance_name(tmp_path), lambda: raised.append("first"), first)
    assert listen(instance_name(tmp_path), lambda: raised.append("second"), second)
    assert raise_first(instance_name(tmp_path))
    qtbot.waitUntil(lambda: raised == ["second"])
    first.deleteLater()
    second.deleteLater()
