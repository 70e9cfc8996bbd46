"""A chat as plain text."""

from app.domain.language import _
from app.domain.whole_chat import WholeChat
from app.services.exports.spoken import shown, speaker, title_of, when

_RULE = "-" * 40


def written(whole: WholeChat) -> str:
    """Return the version of a chat that is shown: only what was said, not what was thought."""
    parts = [title_of(whole)]
    if whole.chat.system_prompt.strip():
        parts.append(f"{_('System prompt')}:\n{whole.chat.system_prompt.strip()}")
    for message in shown(whole):
        date = when(message.created_at)
        head = f"{speaker(message)} ({date}):" if date else f"{speaker(message)}:"
        said = [message.text.strip("\n"), message.error]
        parts.append("\n".join([_RULE, head, *filter(None, said)]))
    return "\n\n".join(parts) + "\n"
