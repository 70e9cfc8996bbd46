"""A chat as one HTML file that needs nothing else: light or dark, on a screen or on paper.

Nothing of what was said becomes HTML of its own: Markdown is read without HTML, links lead to the web or to
mail, and pictures are not fetched: their description stands for them.
"""

from collections.abc import Callable, Sequence
from functools import cache
from html import escape
from typing import TYPE_CHECKING, Any

from app.domain.chat import Message, Role
from app.domain.language import _, current
from app.domain.reading_words import thought_text
from app.domain.whole_chat import WholeChat
from app.services.exports.spoken import shown, speaker, title_of, when

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_LONGEST_CODE = 200_000
_SCHEMES = ("http://", "https://", "mailto:")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def written(whole: WholeChat, style: str) -> str:
    """Return the version of a chat that is shown, as a page with the style sheet `style`."""
    title = escape(title_of(whole))
    parts = [
        f'<!DOCTYPE html>\n<html lang="{current().replace("_", "-")}">\n<head>\n<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{title}</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>",
    ]
    if whole.chat.system_prompt.strip():
        parts.append(_details(_("System prompt"), f"<p>{_lines(whole.chat.system_prompt.strip())}</p>"))
    parts += [_message(message) for message in shown(whole)]
    return "\n".join([*parts, "</main>\n</body>\n</html>\n"])


def _message(message: Message) -> str:
    mine = message.role is Role.USER
    date = when(message.created_at)
    time = f' <time datetime="{date.replace(" ", "T")}">{date}</time>' if date else ""
    parts = [f'<article class="{"asked" if mine else "answered"}">']
    parts.append(f"<header><b>{escape(speaker(message))}</b>{time}</header>")
    if message.reasoning.strip():
        thought = rendered(message.reasoning, coloured)
        parts.append(_details(thought_text(message.reasoning_seconds), thought))
    said = f"<p>{_lines(message.text.strip())}</p>" if mine else rendered(message.text, coloured)
    parts.append(f'<div class="said">{said}</div>')
    if message.error:
        parts.append(f'<p class="error">{escape(message.error)}</p>')
    return "\n".join([*parts, "</article>"])


def _details(title: str, inside: str) -> str:
    return f"<details><summary>{escape(title)}</summary>{inside}</details>"


def _lines(text: str) -> str:
    return escape(text).replace("\n", "<br>\n")


def rendered(text: str, code: Callable[[str, str], str]) -> str:
    """Return Markdown as HTML; `code` makes that of a listing in a language."""
    made: str = _parser().render(text, {"code": code})
    return made


@cache
def _parser() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    made = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    made.validateLink = _may_open  # type: ignore[assignment, method-assign]
    rules: Any = made.renderer.rules  # type: ignore[attr-defined]
    rules["image"] = _image
    rules["fence"] = rules["code_block"] = _listing
    return made


def _may_open(address: str) -> bool:
    return address.lower().startswith(_SCHEMES)


def _image(tokens: "Sequence[Token]", index: int, options: Any, env: Any) -> str:
    return f"<i>[{escape(tokens[index].content)}]</i>"


def _listing(tokens: "Sequence[Token]", index: int, options: Any, env: Any) -> str:
    token = tokens[index]
    language = token.info.split()[0] if token.info.split() else ""
    return str(env["code"](token.content, language))


def coloured(text: str, language: str) -> str:
    """Return a listing whose words have classes for the style sheet."""
    return f"<pre><code>{highlighted(text, language)}</code></pre>\n"


def highlighted(text: str, language: str, **looks: Any) -> str:
    """Return code as HTML, its words coloured as `looks` tells Pygments, where that knows the language."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    if language and len(text) <= _LONGEST_CODE:
        try:
            lexer = get_lexer_by_name(language, stripnl=False)
        except ClassNotFound:
            return escape(text)
        return str(highlight(text, lexer, HtmlFormatter(nowrap=True, **looks)))
    return escape(text)
