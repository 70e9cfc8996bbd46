"""Links from answers: opened only after a person has seen where they lead."""

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QMessageBox, QWidget

from app.domain.language import _

_SCHEMES = {"http", "https", "mailto"}


def ask_to_open(address: str, parent: QWidget) -> QMessageBox | None:
    """Show where `address` really leads and open it in the browser if the person agrees.

    Returns the question, or None for an address of a kind that is never opened.
    """
    url = QUrl(address, QUrl.ParsingMode.StrictMode)
    if not url.isValid() or url.scheme().lower() not in _SCHEMES:
        return None
    # As the network sees it: letters that only look like others show as xn--….
    host = url.host(QUrl.ComponentFormattingOption.FullyEncoded) or url.path()
    box = QMessageBox(parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setWindowTitle(_("Open a link"))
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(_("Open {host} in your browser?").format(host=host))
    shown = url.toString(QUrl.ComponentFormattingOption.FullyEncoded)
    box.setInformativeText(shown if len(shown) <= 300 else shown[:300] + "…")
    go = box.addButton(_("Open"), QMessageBox.ButtonRole.AcceptRole)
    copy = box.addButton(_("Copy the link"), QMessageBox.ButtonRole.ActionRole)
    stay = box.addButton(_("Cancel"), QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(stay)
    go.clicked.connect(lambda: QDesktopServices.openUrl(url))
    copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(shown))
    box.open()
    return box
