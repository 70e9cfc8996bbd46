"""How far downloads are beside the icon: told once for each percent, over a real D-Bus, as a picture."""

import os
import shutil
import subprocess
import sys

import pytest
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QPixmap
from PySide6.QtWidgets import QWidget

from app.ui.taskbar import dock
from app.ui.taskbar.progress import TaskbarProgress
from app.ui.theme import LIGHT


def test_the_system_is_told_when_a_percent_has_come(qtbot):
    asked, shown = [], []

    def choose(window):
        asked.append(window)
        return shown.append

    window = QWidget()
    qtbot.addWidget(window)
    progress = TaskbarProgress(window, choose)
    progress.show(None)
    assert asked == []  # nothing runs, nothing is asked for
    for part in (0.0, 0.0, 0.001, 0.004, 0.01, 0.42, 0.4201, 1.2, None, None):
        progress.show(part)
    assert asked == [window]
    assert shown == [0.0, 0.01, 0.42, 1.0, None]


TELLS = """
from PySide6.QtWidgets import QApplication, QWidget
from app.ui.taskbar.launcher import show_on
application = QApplication([])
application.setDesktopFileName("fireside")
show = show_on(QWidget())
for part in (0.25, 1.0, None):
    show(part)
"""


@pytest.mark.skipif(
    sys.platform != "linux" or not (shutil.which("dbus-daemon") and shutil.which("dbus-monitor")),
    reason="needs a D-Bus of its own",
)
def test_launchers_hear_of_it_over_the_session_bus():
    daemon = ["dbus-daemon", "--session", "--nofork", "--print-address=1", "--address=unix:tmpdir=/tmp"]
    with subprocess.Popen(daemon, stdout=subprocess.PIPE, text=True) as bus:
        assert bus.stdout
        address = bus.stdout.readline().strip()
        heard = "type='signal',interface='com.canonical.Unity.LauncherEntry'"
        monitor = ["dbus-monitor", "--address", address, heard]
        with subprocess.Popen(monitor, stdout=subprocess.PIPE, text=True) as listening:
            assert listening.stdout
            for line in listening.stdout:
                if "NameAcquired" in line:
                    break
            environment = os.environ | {"DBUS_SESSION_BUS_ADDRESS": address}
            subprocess.run([sys.executable, "-c", TELLS], env=environment, check=True)
            lines = []
            for line in listening.stdout:
                lines.append(line)
                if "boolean false" in line:
                    break
            listening.terminate()
        bus.terminate()
    said = " ".join(" ".join(lines).split())
    assert said.count("member=Update") == 3
    assert said.count('string "application://fireside.desktop"') == 3
    for words in (
        'string "progress" variant double 0.25',
        'string "progress" variant double 1 ',
        'string "progress-visible" variant boolean false',
    ):
        assert said.count(words) == 1
    assert said.count('string "progress-visible" variant boolean true') == 2


def test_without_a_bus_nothing_is_begun(monkeypatch):
    from app.ui.taskbar.launcher import show_on

    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    monkeypatch.setattr("app.ui.taskbar.launcher.QDBusConnection", None)  # it is not even looked at
    show_on(QWidget())(0.5)


def test_the_icon_in_the_dock_has_a_bar_and_goes_back(qapp):
    before = QGuiApplication.windowIcon()
    plain = QPixmap(200, 200)
    plain.fill(QColor("black"))

    def filled(part: float) -> int:
        image = dock.with_bar(plain, part).toImage()
        return sum(image.pixelColor(x, 164) == QColor(LIGHT.accent) for x in range(200))

    assert filled(0.0) < filled(0.5) < filled(1.0)
    assert 0.45 < filled(0.5) / filled(1.0) < 0.55
    assert plain.toImage().pixelColor(100, 164) == QColor("black")
    try:
        show = dock.show_on(QWidget())
        show(0.3)
        assert not QGuiApplication.windowIcon().isNull()
        show(None)
        assert QGuiApplication.windowIcon().cacheKey() == QIcon().cacheKey()
    finally:
        QGuiApplication.setWindowIcon(before)
