"""Both themes: every text can be read on what it stands on, and the window follows the desktop."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QFontDatabase, QFontInfo

from app.ui.assets import asset
from app.ui.fonts import code_families, text_font
from app.ui.icons import icon
from app.ui.stylesheet import stylesheet
from app.ui.theme import DARK, LIGHT, Palette, channels, marked, mixed, selection

GROUNDS = {
    "ink": ("paper", "veil", "side", "bubble", "card", "hover", "code"),
    "soft": ("paper", "veil", "side", "bubble", "card", "hover", "code"),
    "accent_ink": ("paper", "veil", "side", "bubble", "card", "hover"),
    "good": ("paper", "veil", "side", "card", "hover"),
    "warn": ("paper", "veil", "side", "card", "hover"),
    "bad": ("paper", "veil", "side", "card", "hover"),
    "on_accent": ("accent", "accent_ink"),
    "syntax_keyword": ("code",),
    "syntax_string": ("code",),
    "syntax_function": ("code",),
    "syntax_comment": ("code",),
    "syntax_number": ("code",),
}
PAIRS = [(ink, ground) for ink, grounds in GROUNDS.items() for ground in grounds]


def luminance(color: str) -> float:
    """Relative luminance, https://www.w3.org/TR/WCAG22/#dfn-relative-luminance."""
    linear = [
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in (channel / 255 for channel in channels(color))
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_contrast_of_the_extremes():
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), PAIRS)
def test_text_can_be_read(palette: Palette, ink: str, ground: str):
    assert contrast(getattr(palette, ink), getattr(palette, ground)) >= 4.5


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_selected_text_can_be_read(palette: Palette):
    for ground in (selection(palette), marked(palette, now=False), marked(palette, now=True)):
        assert contrast(palette.ink, ground) >= 4.5


def test_every_pair_covers_every_token():
    texts_and_grounds = {name for pair in PAIRS for name in pair}
    assert set(Palette.__slots__) - texts_and_grounds == {"dark", "line"}


def test_mixed_ends():
    assert mixed("#102030", "#FFFFFF", 1) == "#102030"
    assert mixed("#102030", "#FFFFFF", 0) == "#FFFFFF"


def test_stylesheet_fills_every_token(qapp):
    for palette in (LIGHT, DARK):
        written = stylesheet(palette)
        assert "%(" not in written
        assert palette.paper in written


def test_larger_text_is_larger_in_the_stylesheet(qapp):
    assert stylesheet(LIGHT, 2.0) != stylesheet(LIGHT, 1.0)


def test_the_packages_bring_real_weights(qapp):
    assert {"Regular", "Medium", "SemiBold"} <= set(QFontDatabase.styles("Inter"))
    assert {"Regular", "Medium", "Bold"} <= set(QFontDatabase.styles("JetBrains Mono"))
    assert QFontInfo(text_font(14)).family() == "Inter"
    assert code_families()[0] == "JetBrains Mono"


def test_theme_switch_repaints_and_tells(appearance, qtbot):
    with qtbot.waitSignal(appearance.changed):
        appearance.use(DARK)
    assert appearance.color("paper").name().upper() == DARK.paper
    appearance._follow(Qt.ColorScheme.Light)
    assert appearance.palette is LIGHT
    appearance._follow(Qt.ColorScheme.Dark)
    assert appearance.palette is DARK


def test_zoom_has_bounds(appearance):
    appearance.set_zoom(100)
    assert appearance.zoom == 2.0
    appearance.set_zoom(0)
    assert appearance.zoom == 0.7


@pytest.mark.parametrize("name", sorted(path.stem for path in asset("icons").glob("*.svg")))
def test_icons_draw_in_the_colour_asked_for(qapp, name):
    image = icon(name, "#FF0000").pixmap(40, 40).toImage()
    inked = [image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height())]
    full = [color for color in inked if color.alpha() > 200]
    assert full
    assert all(color.red() > 200 and color.green() < 60 for color in full)


def test_an_unknown_icon_is_an_error(qapp):
    with pytest.raises(FileNotFoundError):
        icon("no-such-icon", "#000000")
