"""Threads of Jan: a folder each, with thread.json and messages.jsonl, below `threads` of its data folder.

Source: extensions/conversational-extension and core/src/types of https://github.com/janhq/jan. Messages
are a list in the order of their times; there are no branches.
"""

from typing import Any

from app.domain.chat import Status
from app.domain.whole_chat import WholeChat
from app.services.imports.growing import Frame, Node, chain, grown
from app.services.imports.shapes import items, moment, name, of, parts, text, without_thought

NAME = "Jan"
THREAD, MESSAGES = "thread.json", "messages.jsonl"
_STATUSES = {"stopped": Status.STOPPED, "error": Status.FAILED, "pending": Status.INTERRUPTED}


def claims(value: dict[str, Any]) -> bool:
    """Return whether this is a thread of Jan, joined with its messages."""
    return isinstance(value.get("thread"), dict) and isinstance(value.get("messages"), list)


def chat(value: dict[str, Any]) -> WholeChat:
    """Read one thread.

    Raises:
        Unreadable: When there is nothing in it, or too much.
    """
    thread = of(value, "thread")
    assistant = of(next(iter(items(thread.get("assistants"))), None))
    model = name(of(assistant, "model").get("id")) or name(of(thread, "model").get("id"))
    listed = [of(each) for each in items(value.get("messages"))]
    listed.sort(key=lambda each: moment(each.get("created_at")))
    title = name(thread.get("title")) or name(of(thread, "metadata").get("title"))
    frame = Frame(
        "" if title == "New Thread" else title,
        moment(thread.get("created")),
        moment(thread.get("updated")),
        text(assistant.get("instructions")),
        pinned=thread.get("isFavorite") is True or of(thread, "metadata").get("is_favorite") is True,
    )
    return grown(chain([_node(each, model) for each in listed]), frame)


def _node(value: dict[str, Any], model: str) -> Node:
    said, thoughts = [], []
    for part in map(of, items(value.get("content"))):
        words = part.get("text")
        words = text(words) or text(of(words).get("value"))
        if part.get("type") == "reasoning":
            thoughts.append(words)
        else:
            said.append(words or parts([part]))
    words, thought = without_thought("\n\n".join(filter(None, said)) or text(value.get("content")))
    role = value.get("role")
    written = of(value, "metadata", "assistant", "model").get("id")
    return Node(
        None,
        role if isinstance(role, str) else "",
        words,
        "\n\n".join(filter(None, (*thoughts, thought))),
        moment=moment(value.get("created_at")),
        model=name(written) or model,
        status=_STATUSES.get(name(value.get("status")), Status.COMPLETE),
    )
