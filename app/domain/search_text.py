"""Text as words, for finding them: the same for what was written, what is looked for, and what is marked.

A word is a run of letters and digits. Chinese, Japanese, Korean, Thai and their neighbours write without
spaces, or glue endings on: there each character is a word of its own, and what is looked for is a run
of them. Two such characters with a space or a comma between them are no run.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache

GAP = "\ue000"
"""Stands between two characters that are words of their own and do not touch; nobody can type it."""
MOST_TEXT = 400
"""Characters of what is looked for; the rest is left out."""
MOST_PHRASES = 24

_ALONE = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
    "\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\uac00-\ud7ff"  # Hangul
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303c"  # Han
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
    "\u3041-\u3096\u309d-\u30fa\u30fc-\u312f\u31a0-\u31bf\u31f0-\u31ff\uff66-\uff9f"  # Kana, Bopomofo
)
_LONE = re.compile(f"[{_ALONE}]")
_GAPS = re.compile(rf"(?<=[{_ALONE}])(?:(?![{_ALONE}])[\W_])+(?=[{_ALONE}])")
_QUOTES = re.compile(r'["“”„«»「」『』]')
_MARKS = "[\u0300-\u036f]*"  # accents that stand as characters of their own
_JOINED = "0-9A-Za-z\u00c0-\u02ff\u0370-\u0dff\u10a0-\u10ff\u1200-\u177f\u1800-\u1fff\uff10-\uff5a"
_STARTS, _ENDS = f"(?<![{_JOINED}])", f"(?![{_JOINED}])"


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that stand one behind the other.

    Attributes:
        words: As `words_of` gives them.
        open: The last word is only begun: it may go on.
    """

    words: tuple[str, ...]
    open: bool = False


def spaced(text: str) -> str:
    """Return `text` with a space between any two words: what an index of words splits at spaces."""
    if text.isascii():
        return text
    text = unicodedata.normalize("NFKC", text)
    return _LONE.sub(r" \g<0> ", _GAPS.sub(GAP, text)).replace(GAP, f" {GAP} ")


def words_of(text: str) -> tuple[str, ...]:
    """Return the words of `text`, and `GAP` where it stands."""
    return tuple(re.findall(rf"[^\W_]+|{GAP}|[{_ALONE}]", spaced(text.replace(GAP, " "))))


def parse(text: str) -> tuple[Phrase, ...]:
    """Return what must all be found for what a person has typed, which may be anything.

    Words stand for themselves, "words in quotes" for a phrase. The last word may go on, unless a space, a
    quote or another sign follows.
    """
    phrases: list[Phrase] = []
    parts = _QUOTES.split(text[:MOST_TEXT])
    for number, part in enumerate(parts):
        pieces = [part] if number % 2 else part.split()  # a quote that is still open is one, too
        phrases += [Phrase(words) for words in map(words_of, pieces) if words]
    if phrases and parts[-1][-1:].isalnum():
        phrases[-1] = Phrase(phrases[-1].words, open=not _is_alone(phrases[-1].words[-1]))
    return tuple(dict.fromkeys(phrases))[:MOST_PHRASES]


@lru_cache(maxsize=16)
def pattern(phrases: tuple[Phrase, ...]) -> re.Pattern[str] | None:
    """Return what finds each of `phrases` in a text, the first in group 1 and so on; None for no phrases."""
    each = [f"({_expression(phrase)})" for phrase in phrases]
    return re.compile("|".join(each)) if each else None


def part(text: str) -> re.Pattern[str] | None:
    """Return what finds `text` anywhere, also inside of words; None where there is nothing to find."""
    pieces = unicodedata.normalize("NFKC", text[:MOST_TEXT]).split()
    return re.compile(r"\s+".join("".join(map(_letter, piece)) for piece in pieces)) if pieces else None


def title_has(title: str, text: str) -> bool:
    """Return whether all words of `text` stand anywhere in a title, in parts of its words too."""
    folded = title.casefold()
    return all(word in folded for word in _QUOTES.sub(" ", text).casefold().split())


def _expression(phrase: Phrase) -> str:
    first, last = phrase.words[0], phrase.words[-1]
    found = _STARTS if not _is_alone(first) else ""
    before = ""
    for word in phrase.words:
        if word == GAP:
            found += r"[\W_]+"
        elif before and before != GAP and not (_is_alone(before) and _is_alone(word)):
            found += r"[\W_]*" if _is_alone(before) or _is_alone(word) else r"[\W_]+"
        if word != GAP:
            found += "".join(_letter(letter) for letter in word)
        before = word
    return found + (_ENDS if not phrase.open and not _is_alone(last) else "")


def _is_alone(word: str) -> bool:
    return _LONE.match(word) is not None


def _letter(letter: str) -> str:
    base = _folded(letter)
    if len(base) != 1:
        return re.escape(letter)
    variants = "".join(sorted({letter, base, base.upper(), *_variants().get(base, ())}))
    one = re.escape(variants) if len(variants) == 1 else f"[{re.escape(variants)}]"
    return one if _is_alone(letter) else one + _MARKS


def _folded(letter: str) -> str:
    if _is_alone(letter):  # voicing marks of Kana, and what Hangul is made of, are no accents
        return letter
    apart = unicodedata.normalize("NFKD", letter.casefold())
    return "".join(each for each in apart if not unicodedata.combining(each))


@cache
def _variants() -> dict[str, list[str]]:
    """Return which letters are written for one that has no accent, and is not of another width."""
    found: dict[str, list[str]] = {}
    for first, last in ((0xC0, 0x250), (0x370, 0x530), (0x1E00, 0x2000), (0xFF10, 0xFF5B)):
        for code in range(first, last):
            base = _folded(chr(code))
            if len(base) == 1 and base != chr(code).lower():
                found.setdefault(base, []).append(chr(code))
    return found
