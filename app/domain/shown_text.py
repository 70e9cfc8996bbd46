"""What of an answer's Markdown can be read on the screen, without laying it out."""

import html
import re

_FENCE = re.compile(r"^(\s*)(```|~~~).*?(?:^\s*\2[`~]*\s*$|\Z)", re.MULTILINE | re.DOTALL)
_FENCE_LINE = re.compile(r"^\s*(?:```|~~~).*$\n?", re.MULTILINE)
_LINK = re.compile(r"!?\[([^\[\]\n]*)\]\((?:[^()\s]|\([^()\s]*\))*(?:\s+\"[^\"\n]*\")?\)")
_LINE_MARK = re.compile(r"^[ \t]*(?:#{1,6}[ \t]+|>[ \t]?|[-*+][ \t]+)", re.MULTILINE)
_TABLE_RULE = re.compile(r"^[ \t]*\|?(?:[ \t]*:?-+:?[ \t]*\|)+[ \t]*(?::?-+:?)?[ \t]*$\n?", re.MULTILINE)
_EMPHASIS = re.compile(r"(?<!\\)\*+|~~|`+|(?<![^\W_])_+(?=\w)|(?<=\w)_+(?![^\W_])")
_ESCAPE = re.compile(r"\\([\\`*_{}\[\]()#+.!|>~-])")


def shown_text(markdown: str) -> str:
    """Return the words of `markdown` without its marks; code keeps all of its own."""
    parts, end = [], 0
    for fence in _FENCE.finditer(markdown):
        parts += [_words(markdown[end : fence.start()]), _FENCE_LINE.sub("", fence[0])]
        end = fence.end()
    return "".join([*parts, _words(markdown[end:])])


def _words(markdown: str) -> str:
    text = _LINK.sub(r"\1", _TABLE_RULE.sub("", markdown))
    text = _ESCAPE.sub(r"\1", _EMPHASIS.sub("", _LINE_MARK.sub("", text)))
    return html.unescape(text) if "&" in text else text
