"""The language of the desktop, where the environment names none, and Qt's own words in it."""

from PySide6.QtCore import QLibraryInfo, QLocale, QTranslator
from PySide6.QtWidgets import QApplication

from app.domain import language
from app.ui.assets import asset


def localize(application: QApplication, chosen: str = "") -> None:
    """Speak the user's language, or the one that was `chosen`, in Fireside's words and in those of Qt.

    Call it before the first widget is made. It takes half a millisecond.
    """
    wanted = [chosen] if chosen else None
    language.install(asset("translations"), wanted, otherwise=QLocale.system().uiLanguages())
    for before in application.findChildren(QTranslator):  # one language in one window
        application.removeTranslator(before)
    translator = QTranslator(application)
    folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    if translator.load(QLocale(language.current()), "qtbase", "_", folder):
        application.installTranslator(translator)
