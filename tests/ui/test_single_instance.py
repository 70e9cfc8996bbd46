"""A second start raises the first window."""

import subprocess
import sys
from pathlib import Path

from PySide6.QtCore import QObject

from app.ui.single_instance import instance_name, listen, raise_first

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


def test_the_socket_of_a_dead_start_is_taken_over(qapp, qtbot, tmp_path):
    first, second = QObject(), QObject()
    raised = []
    assert listen(instance_name(tmp_path), lambda: raised.append("first"), first)
    assert listen(instance_name(tmp_path), lambda: raised.append("second"), second)
    assert raise_first(instance_name(tmp_path))
    qtbot.waitUntil(lambda: raised == ["second"])
    first.deleteLater()
    second.deleteLater()
