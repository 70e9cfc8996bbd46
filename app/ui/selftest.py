"""What `fireside --selftest` looks at of the window: what Qt draws with, and the window itself."""

import gettext
from collections.abc import Callable

from PySide6.QtCore import QLibraryInfo, QLocale, QTranslator
from PySide6.QtGui import QFont, QFontInfo, QGuiApplication, QIcon, QImage
from PySide6.QtWidgets import QWidget

from app.services.selftest import Facts, UnfitError, outcome
from app.ui.assets import asset
from app.ui.fonts import code_families, text_families
from app.ui.icons import icon

_EDGE = 64  # pixels of a picture to look at


def examine(make_window: Callable[[], QWidget]) -> dict[str, Facts]:
    """Try everything that draws; the window is made, drawn into memory, and not shown."""
    return {
        "qt": outcome(lambda: {"platform": QGuiApplication.platformName()}),
        "fonts": outcome(_fonts),
        "icons": outcome(_icons),
        "translations": outcome(_translations),
        "window": outcome(lambda: _window(make_window)),
    }


def _fonts() -> Facts:
    wanted = [text_families()[0], code_families()[0]]
    found = [QFontInfo(QFont(family)).family() for family in wanted]
    if found != wanted:
        raise UnfitError(f"fonts are {found} instead of {wanted}")
    return {"families": found}


def _icons() -> Facts:
    files = sorted(asset("icons").glob("*.svg"))
    blank = [file.name for file in files if _is_blank(icon(file.stem, "#000000", _EDGE))]
    if blank or not files:
        raise UnfitError(f"icons cannot be drawn: {', '.join(blank) or 'there are none'}")
    if _is_blank(QIcon(str(asset("fireside.svg")))):  # through Qt's plugin for icons
        raise UnfitError("the icon of the window cannot be drawn")
    return {"drawn": len(files)}


def _translations() -> Facts:
    folder = asset("translations")
    found = sorted(file.parent.parent.name for file in folder.glob("*/LC_MESSAGES/fireside.mo"))
    if not found:
        raise UnfitError(f"there are no translations in {folder}")
    for code in found:
        if gettext.translation("fireside", folder, [code]).gettext("Settings") == "Settings":
            raise UnfitError(f"the translation {code} lacks words")
        qt = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
        if not QTranslator().load(QLocale(code), "qtbase", "_", qt):
            raise UnfitError(f"Qt’s own words in {code} are not in {qt}")
    return {"languages": found}


def _window(make_window: Callable[[], QWidget]) -> Facts:
    window = make_window()
    picture = window.grab()
    window.close()
    if len(_colours(picture.toImage())) < 2:
        raise UnfitError("the window stays empty")
    return {"width": picture.width(), "height": picture.height()}


def _is_blank(drawn: QIcon) -> bool:
    return not any(_colours(drawn.pixmap(_EDGE, _EDGE).toImage()))


def _colours(image: QImage) -> set[int]:
    """Return every colour that occurs, 0 for nothing at all; an empty set for no picture."""
    whole = image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)
    return set(memoryview(whole.constBits()).cast("I"))
