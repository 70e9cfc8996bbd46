"""The look in one table: widgets name these tokens, never colours."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of one theme, as #RRGGBB.

    Every text keeps a contrast of 4.5 or more on each ground it is written on; `accent` fills, and
    `accent_ink` is the accent dark enough for words and links. `veil` is the paper of an incognito chat.
    """

    dark: bool
    paper: str
    veil: str
    side: str
    ink: str
    soft: str
    line: str
    accent: str
    accent_ink: str
    on_accent: str
    bubble: str
    card: str
    hover: str
    code: str
    good: str
    warn: str
    bad: str
    syntax_keyword: str
    syntax_string: str
    syntax_function: str
    syntax_comment: str
    syntax_number: str


LIGHT = Palette(
    dark=False,
    paper="#FBF9F6",
    veil="#ECE9F1",
    side="#F4F0EA",
    ink="#26211C",
    soft="#6E655C",
    line="#E6DFD6",
    accent="#C4521E",
    accent_ink="#AB4618",
    on_accent="#FFFFFF",
    bubble="#F3E4D8",
    card="#FFFFFF",
    hover="#EBE5DC",
    code="#F5F1EB",
    good="#367040",
    warn="#8A5800",
    bad="#B3372B",
    syntax_keyword="#9A3B6E",
    syntax_string="#37713F",
    syntax_function="#2F6BA8",
    syntax_comment="#746A5F",
    syntax_number="#8A4B08",
)

DARK = Palette(
    dark=True,
    paper="#1B1917",
    veil="#1D1B26",
    side="#211E1B",
    ink="#EDE6DD",
    soft="#A1978C",
    line="#35302B",
    accent="#F0884A",
    accent_ink="#F0884A",
    on_accent="#26170E",
    bubble="#3A2C22",
    card="#24211E",
    hover="#2B2723",
    code="#161412",
    good="#7FBF8E",
    warn="#E0A84A",
    bad="#EE8277",
    syntax_keyword="#E39AC4",
    syntax_string="#9BCB8F",
    syntax_function="#8FBDEB",
    syntax_comment="#9A9085",
    syntax_number="#E0B07A",
)


def veiled(palette: Palette) -> Palette:
    """Return what an incognito chat wears."""
    return replace(palette, paper=palette.veil)


def mixed(over: str, under: str, share: float) -> str:
    """Return the colour of `over` laid on `under` with an opacity of `share`."""
    pairs = zip(channels(over), channels(under), strict=True)
    return "#{:02X}{:02X}{:02X}".format(*(round(a * share + b * (1 - share)) for a, b in pairs))


def selection(palette: Palette) -> str:
    """Return the ground under selected text, which keeps its ink."""
    return mixed(palette.accent, palette.card, 0.3)


def marked(palette: Palette, *, now: bool) -> str:
    """Return the ground under what was looked for, in ink; `now` under the one that was gone to."""
    return mixed(palette.accent, palette.card, 0.45 if now else 0.2)


def channels(color: str) -> tuple[int, int, int]:
    """Return red, green and blue of a #RRGGBB, from 0 to 255."""
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)
