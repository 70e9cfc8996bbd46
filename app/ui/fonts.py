"""Type: the system's own face on a Mac; Inter and JetBrains Mono elsewhere."""

import sys
from functools import cache
from pathlib import Path

from PySide6.QtGui import QFont, QFontDatabase, QGuiApplication

_CHINESE = ("PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "Noto Sans SC")
# What each desktop calls normal size, in points: a larger one is a wish for larger text.
_USUAL_POINTS = {"darwin": 13.0, "win32": 9.0}.get(sys.platform, 11.0)


def load_fonts() -> None:
    """Register the faces that come with the packages; a Mac needs none.

    Qt adds the named weights of a variable font only when it is given bytes instead of a file
    name. All four files take 3 to 6 ms.
    """
    if sys.platform == "darwin":
        return
    import fontpkg_inter
    import fontpkg_jetbrains_mono

    for package in (fontpkg_inter, fontpkg_jetbrains_mono):
        for path in sorted((Path(package.ROOT) / "files").glob("*.ttf")):
            QFontDatabase.addApplicationFontFromData(path.read_bytes())


@cache
def text_families() -> tuple[str, ...]:
    """Return the families for prose and controls, the first choice first."""
    if sys.platform == "darwin":
        system = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)
        return (system.family(), *_CHINESE)
    return ("Inter", *_CHINESE)


@cache
def code_families() -> tuple[str, ...]:
    """Return the families for code, the first choice first."""
    if sys.platform == "darwin":
        system = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        return (system.family(), "Menlo", *_CHINESE)
    return ("JetBrains Mono", *_CHINESE)


@cache
def system_scale() -> float:
    """Return how much larger than usual the desktop's own text is, at least 1.

    Must be asked before the application's font is replaced, as `load_fonts` callers do.
    """
    return max(1.0, QGuiApplication.font().pointSizeF() / _USUAL_POINTS)


def points(pixels: float) -> float:
    """Return a size in device-independent pixels as points, which Qt does not round to whole pixels."""
    return pixels * 72 / QGuiApplication.primaryScreen().logicalDotsPerInch()


def text_font(pixels: float, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """Return the font for prose and controls at a size in device-independent pixels."""
    font = QFont(list(text_families()))
    font.setPointSizeF(points(pixels))
    font.setWeight(weight)
    return font
