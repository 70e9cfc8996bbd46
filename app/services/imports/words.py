"""What an import brings, in sentences."""

from app.domain.language import _, plural


def came_words(chats: int, messages: int, sources: dict[str, int]) -> str:
    """Return how much comes, and from which apps."""
    amount = plural("{count} chat", "{count} chats", chats).format(count=f"{chats:,}")
    said = plural("{count} message", "{count} messages", messages).format(count=f"{messages:,}")
    return _("{chats} with {messages} from {sources}").format(
        chats=amount, messages=said, sources=", ".join(sources)
    )


def versions_words(versions: int) -> str:
    """Return how many messages are versions of others."""
    words = plural("{count} of them is another version of an answer or a question",
                   "{count} of them are other versions of an answer or a question", versions)  # fmt: skip
    return words.format(count=f"{versions:,}")


def known_words(known: int) -> str:
    """Return how many chats do not come because they are here."""
    words = plural("{count} chat is here already and does not come again",
                   "{count} chats are here already and do not come again", known)  # fmt: skip
    return words.format(count=f"{known:,}")


def left_out_words(count: int) -> str:
    """Return how much cannot be taken over."""
    words = plural("{count} part cannot be read and is left out",
                   "{count} parts cannot be read and are left out", count)  # fmt: skip
    return words.format(count=f"{count:,}")
