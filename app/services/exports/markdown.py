"""A chat as Markdown: the title, and a heading for each message."""

import re

from app.domain.chat import Message
from app.domain.language import _
from app.domain.reading_words import thought_text
from app.domain.whole_chat import WholeChat
from app.services.exports.spoken import shown, speaker, title_of, when

_LINE = re.compile("^", re.MULTILINE)


def written(whole: WholeChat) -> str:
    """Return the version of a chat that is shown."""
    parts = [f"# {title_of(whole)}"]
    if whole.chat.system_prompt.strip():
        parts.append(_quoted(_("System prompt"), whole.chat.system_prompt))
    for message in shown(whole):
        parts += _message(message)
    return "\n\n".join(parts) + "\n"


def _message(message: Message) -> list[str]:
    date = when(message.created_at)
    parts = [f"## {speaker(message)}{f', {date}' if date else ''}"]
    if message.reasoning.strip():
        parts.append(_quoted(thought_text(message.reasoning_seconds), message.reasoning))
    if message.text.strip():
        parts.append(message.text.strip("\n"))
    if message.error:
        parts.append(f"*{message.error}*")
    return parts


def _quoted(title: str, text: str) -> str:
    return _LINE.sub("> ", f"**{title}**\n\n{text.strip()}")
