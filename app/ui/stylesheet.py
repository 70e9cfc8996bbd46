"""One style sheet, written from the tokens: the only place where a widget meets a colour."""

from app.ui.fonts import points
from app.ui.theme import Palette, mixed, selection

_SHEET = """
QMainWindow, #page, #window { background: %(paper)s; }
#page[incognito="true"] { background: %(veil)s; }
#sidebar { background: %(side)s; border: none; border-right: 1px solid %(line)s; }
#inspector { background: %(paper)s; border: none; border-left: 1px solid %(line)s; }
#inspectorScroll, #inspectorContent { background: %(paper)s; border: none; }
#downloads, #downloadsContent { background: transparent; border: none; }
#sidebarFoot { border: none; border-top: 1px solid %(line)s; }

QLabel { background: transparent; }
QLabel[tone="soft"] { color: %(soft)s; }
QLabel[measure="small"] { font-size: %(small)spt; }
QLabel[measure="reading"] { font-size: %(reading)spt; }
QLabel[measure="title"] { font-size: %(title)spt; font-weight: 600; letter-spacing: -0.3px; }
QLabel[measure="heading"] { font-size: %(heading)spt; font-weight: 600; }
QLabel[measure="field"] { font-size: %(field)spt; }
QLabel[measure="group"] { font-size: %(small)spt; font-weight: 600; color: %(soft)s; }
QLabel[tone="good"] { color: %(good)s; }
QLabel[tone="warn"] { color: %(warn)s; }
QLabel[tone="bad"] { color: %(bad)s; }

QToolButton[kind="icon"] { background: transparent; border: 2px solid transparent; border-radius: 8px;
    padding: 3px; }
QToolButton[kind="icon"]:hover, QToolButton[kind="icon"]:pressed { background: %(hover)s; }
QToolButton[kind="icon"]:focus { border-color: %(accent)s; }
QToolButton[kind="icon"]::menu-indicator { image: none; }

QPushButton { background: %(card)s; border: 1px solid %(line)s; border-radius: 8px; padding: 7px 14px; }
QPushButton:hover, QPushButton:pressed { background: %(hover)s; }
QPushButton:focus { border-color: %(accent)s; }
QPushButton:disabled { color: %(soft)s; }
QPushButton:default, QPushButton[kind="primary"] {
    background: %(accent)s; color: %(on_accent)s; border-color: %(accent)s; font-weight: 600; }
QPushButton:default:focus, QPushButton[kind="primary"]:focus { border-color: %(ink)s; }
QPushButton[kind="link"] { background: transparent; border: 2px solid transparent; padding: 1px 4px;
    border-radius: 6px; color: %(accent_ink)s; font-weight: 600; }
QPushButton[kind="link"][flush="true"] { padding-left: 0; }
QPushButton[kind="link"][side="right"] { text-align: right; }
QPushButton[kind="link"]:disabled { color: %(soft)s; }
QPushButton[measure="small"] { font-size: %(small)spt; }
QPushButton[kind="link"]:hover { background: %(hover)s; }
QPushButton[kind="link"]:focus { border-color: %(accent)s; }

QPushButton[kind="choice"] { padding: 4px 10px; border-radius: 12px; font-size: %(small)spt; }

QPushButton[kind="quiet"] { background: transparent; border: 2px solid transparent; padding: 2px 6px;
    border-radius: 6px; color: %(soft)s; }
QPushButton[kind="quiet"]:hover { background: %(hover)s; color: %(ink)s; }
QPushButton[kind="quiet"]:focus { border-color: %(accent)s; }

QPushButton[kind="tab"] { background: transparent; border: 2px solid transparent; border-radius: 8px;
    padding: 5px 8px; text-align: left; color: %(ink)s; }
QPushButton[kind="tab"]:hover { background: %(hover)s; }
QPushButton[kind="tab"]:checked { background: %(hover)s; }
QPushButton[kind="tab"]:focus { border-color: %(accent)s; }
QPushButton[kind="mark"] { background: transparent; border: 2px solid transparent; border-radius: 8px;
    padding: 0; }
QPushButton[kind="mark"]:hover { background: %(hover)s; }
QPushButton[kind="mark"]:focus { border-color: %(accent)s; }

#segments { background: %(hover)s; border-radius: 8px; }
QPushButton[kind="segment"] { background: transparent; border: 2px solid transparent; border-radius: 6px;
    padding: 3px 2px; font-size: %(small)spt; color: %(soft)s; }
QPushButton[kind="segment"]:hover { color: %(ink)s; background: transparent; }
QPushButton[kind="segment"]:checked { background: %(raised)s; color: %(ink)s; font-weight: 600; }
QPushButton[kind="segment"][tone="bad"] { color: %(bad)s; }
QPushButton[kind="segment"]:focus { border-color: %(accent)s; }
#number, #text { background: %(card)s; border: 1px solid %(line)s; border-radius: 8px; color: %(ink)s;
    placeholder-text-color: %(soft)s; selection-background-color: %(selection)s; selection-color: %(ink)s; }
#number { padding: 4px 7px; font-size: %(field)spt; }
#text { padding: 4px 6px; }
#number:focus, #text:focus { border-color: %(accent)s; }
QSlider::groove:horizontal { height: 4px; border-radius: 2px; background: %(line)s; }
QSlider::sub-page:horizontal { height: 4px; border-radius: 2px; background: %(accent)s; }
QSlider::handle:horizontal { width: 14px; margin: -6px 0; border-radius: 8px; background: %(card)s;
    border: 1px solid %(soft)s; }
QSlider::handle:horizontal:focus { border: 2px solid %(accent)s; width: 12px; }

#search { background: %(hover)s; border: 2px solid transparent; border-radius: 8px; padding: 5px 6px;
    placeholder-text-color: %(soft)s; selection-background-color: %(selection)s; selection-color: %(ink)s; }
#search:focus { border-color: %(edge)s; }
#menuField { background: %(hover)s; border: 2px solid transparent; border-radius: 6px; padding: 4px 8px;
    margin: 2px 4px 6px 4px; placeholder-text-color: %(soft)s; }
#menuField:focus { border-color: %(edge)s; }
#rename { background: %(card)s; border: 2px solid %(accent)s; border-radius: 8px; padding: 2px 6px; }
QListView { background: transparent; border: none; outline: none; }

#composer { background: %(card)s; border: 1px solid %(line)s; border-radius: 18px; }
#composer[focused="true"] { border-color: %(edge)s; }
#composerText { background: transparent; border: none; font-size: %(reading)spt;
    placeholder-text-color: %(soft)s; selection-background-color: %(selection)s; selection-color: %(ink)s; }
#editing { color: %(soft)s; font-size: %(small)spt; }

#popover { background: %(card)s; border: 1px solid %(line)s; border-radius: 14px; }
#popoverFoot { border: none; border-top: 1px solid %(line)s; }
#pages { background: %(card)s; border: 1px solid %(line)s; border-radius: 8px; padding: 6px;
    color: %(ink)s; selection-background-color: %(selection)s; selection-color: %(ink)s; }
#pages:focus { border-color: %(accent)s; }
#alternatives, #alternatives > QWidget > QWidget { background: transparent; border: none; }
#addModel { background: transparent; border: 2px solid transparent; border-radius: 9px; padding: 8px 8px;
    text-align: left; color: %(soft)s; }
#addModel:hover { background: %(hover)s; }
#addModel:focus { background: %(hover)s; border-color: %(accent)s; }

#starter { background: %(card)s; border: 1px solid %(line)s; border-radius: 12px; }
#starter:hover { background: %(hover)s; }
#starter:focus { border-color: %(accent)s; }

#introduction { background: %(card)s; border: 1px solid %(line)s; border-radius: 18px; }
#notice { background: %(card)s; border: 1px solid %(line)s; border-radius: 12px; }
#dropTarget { background: %(paper)s; border: 2px dashed %(accent)s; border-radius: 18px; }

QMenu { background: %(card)s; border: 1px solid %(line)s; border-radius: 10px; padding: 6px; }
QMenu::item { background: transparent; border-radius: 6px; padding: 6px 28px 6px 10px; }
QMenu::item:selected { background: %(hover)s; }
QMenu::item:disabled { color: %(soft)s; }
QMenu::icon { padding-left: 8px; }
QMenu::separator { height: 1px; background: %(line)s; margin: 6px 4px; }
QToolTip { background: %(card)s; color: %(ink)s; border: 1px solid %(line)s; padding: 4px 6px;
    font-size: %(small)spt; }

QScrollBar { background: transparent; border: none; }
QScrollBar:vertical { width: 10px; }
QScrollBar:horizontal { height: 10px; }
QScrollBar::handle { background: %(line)s; border-radius: 3px; margin: 2px; }
QScrollBar::handle:hover { background: %(soft)s; }
QScrollBar::handle:vertical { min-height: 32px; }
QScrollBar::handle:horizontal { min-width: 32px; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
"""


def stylesheet(palette: Palette, scale: float = 1.0) -> str:
    """Return the style sheet for one palette, with every size of text multiplied by `scale`."""
    tokens = {name: getattr(palette, name) for name in palette.__slots__}
    sizes = {"small": 12.5, "field": 13.5, "reading": 16.0, "heading": 19.0, "title": 30.0}
    written = {name: f"{points(pixels * scale):.2f}" for name, pixels in sizes.items()}
    edge = mixed(palette.soft, palette.line, 0.25)
    raised = palette.line if palette.dark else palette.card
    derived = {"selection": selection(palette), "edge": edge, "raised": raised}
    return _SHEET % {**tokens, **written, **derived}
