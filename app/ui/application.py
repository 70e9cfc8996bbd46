"""The application's own part of a start: Qt dressed, the window shown, the slow things afterwards.

How app.main uses it, in this order::

    application = make_application(sys.argv)
    localize(application)
    poster = Poster()
    CrashReporter(poster).install()
    changes = Changes(poster.post)
    ...                                        # the services, which start no thread by themselves
    conversation = Conversation(store, engine, poster.post, poster.report)
    window = MainWindow(poster=poster, history=..., conversation=conversation, models=..., changes=changes,
                        preferences=..., memory=WindowMemory(folders.data / "window.ini"))
    listen(instance_name(folders.data), window.come_to_front, window)
    code = run(application, window, start)     # start(): models.refresh() and the like
    conversation.close(); engine.close(); models.close(); database.close()

`poster` must live until the last service is closed.
"""

import gc
import sys
from collections.abc import Callable, Sequence

from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication

from app import __version__
from app.ui.assets import asset
from app.ui.fonts import load_fonts
from app.ui.main_window import MainWindow
from app.ui.signals import close_on_signals


def make_application(arguments: Sequence[str]) -> QApplication:
    """Return the QApplication with its name, icon and fonts; call it before anything else of Qt."""
    application = QApplication(list(arguments))
    application.setStyle("Fusion")
    application.setApplicationName("Fireside")
    application.setApplicationDisplayName("Fireside")
    application.setApplicationVersion(__version__)
    application.setDesktopFileName("fireside")
    if sys.platform != "darwin":  # there the bundle has it, and a second one would flicker in the Dock
        application.setWindowIcon(QIcon(str(asset("fireside.svg"))))
    load_fonts()
    return application


def run(application: QApplication, window: MainWindow, start: Callable[[], None]) -> int:
    """Show the window, call `start` and read the chats once it is painted, and stay until it is closed.

    Args:
        application: From `make_application`.
        window: Built and not yet shown.
        start: Begins what takes long, on other threads: opening the database, listing the models.

    Returns:
        The exit code.
    """

    def begin() -> None:
        gc.freeze()  # what the imports made stays: to look through all of it again takes 13 ms each time
        start()
        window.load()

    window.first_painted.connect(begin)
    close_on_signals(window.end, window)
    window.show()
    return application.exec()
