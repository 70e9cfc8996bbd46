"""A chat as the HTML that text documents of Qt know, for a PDF.

Source: https://doc.qt.io/qt-6/richtext-html-subset.html
"""

from html import escape

from app.domain.chat import Message, Role
from app.domain.language import _
from app.domain.reading_words import thought_text
from app.domain.whole_chat import WholeChat
from app.services.exports.page import highlighted, rendered
from app.services.exports.spoken import shown, speaker, title_of, when

# No flex box and no radius there: a cell of a table holds what has a ground.
_STYLE = """
h1 { font-size: 17pt; } h2 { font-size: 13pt; } h3, h4 { font-size: 11pt; }
p, li, td, th { font-size: 10pt; line-height: 140%; } .small { font-size: 8.5pt; color: #555555; }
a { color: #AB4618; } blockquote { color: #555555; } td, th { padding: 3px; }
pre, code { font-family: 'JetBrains Mono', 'Noto Sans CJK SC', monospace; font-size: 8.5pt; }
"""


def written(whole: WholeChat) -> str:
    """Return the version of a chat that is shown."""
    title = escape(title_of(whole))
    parts = [f"<html><head><style>{_STYLE}</style></head><body><h1>{title}</h1>"]
    if whole.chat.system_prompt.strip():
        parts.append(_small(f"{_('System prompt')}: {whole.chat.system_prompt.strip()}"))
    for message in shown(whole):
        parts += _message(message)
    return "\n".join([*parts, "</body></html>"])


def _message(message: Message) -> list[str]:
    date = when(message.created_at)
    head = f"<b>{escape(speaker(message))}</b>{f' &nbsp; {date}' if date else ''}"
    parts = [f'<p class="small" style="margin-top: 14px; margin-bottom: 2px;">{head}</p>']
    if message.reasoning.strip():
        parts.append(_small(f"{thought_text(message.reasoning_seconds)}: {message.reasoning.strip()}"))
    if message.role is Role.USER:
        said = escape(message.text.strip()).replace("\n", "<br>")
        parts.append(_ground(f'<p style="margin: 0;">{said}</p>', "#F3E4D8"))
    else:
        parts.append(rendered(message.text, _listing))
    if message.error:
        parts.append(f"<p><i>{escape(message.error)}</i></p>")
    return parts


def _small(text: str) -> str:
    return f'<p class="small">{escape(text).replace(chr(10), "<br>")}</p>'


def _listing(text: str, language: str) -> str:
    inside = highlighted(text.rstrip("\n"), language, noclasses=True, style="friendly").rstrip("\n")
    return _ground(f'<pre style="white-space: pre-wrap; margin: 0;">{inside}</pre>', "#F5F1EB")


def _ground(inside: str, colour: str) -> str:
    return (
        f'<table width="100%" cellspacing="0" cellpadding="7" border="0"><tr><td bgcolor="{colour}">'
        f"{inside}</td></tr></table>"
    )
