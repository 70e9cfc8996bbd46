"""Conversations of llama.cpp's web UI.

Source: tools/ui/src/lib/services/conversation-transfer.service.ts of https://github.com/ggml-org/llama.cpp:
JSON Lines, a "session" record before the "message" records of each conversation, also many of them in an
archive; before 2026 JSON, {conv, messages} or a list of such. The messages are a tree whose root is empty.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from app.domain.generation import Stats, StopReason
from app.domain.language import _
from app.domain.whole_chat import WholeChat
from app.services.imports.growing import MOST_MESSAGES, Frame, Node, grown
from app.services.imports.shapes import (
    items,
    key,
    moment,
    name,
    of,
    parts,
    seconds,
    text,
    whole,
    without_thought,
)
from app.services.imports.values import LONGEST, Value

NAME = "llama.cpp"


def gathered(values: Iterable[Value]) -> Iterator[Value]:
    """Join the records of each conversation; all other values pass as they are."""
    joined: dict[str, Any] | None = None
    length = 0
    for value in values:
        kind = of(value.content).get("type")
        if kind == "message" and joined is not None:
            length += value.length
            if length <= LONGEST and len(joined["messages"]) < MOST_MESSAGES:
                joined["messages"].append(of(value.content, "message"))
            else:
                joined["damage"] = _("It is far too long.")
            continue
        if joined is not None:
            yield Value(joined, length, joined.get("damage", ""))
            joined = None
        if kind == "session":
            joined, length = {"conv": value.content, "messages": []}, value.length
        else:
            yield value
    if joined is not None:
        yield Value(joined, length, joined.get("damage", ""))


def claims(value: dict[str, Any]) -> bool:
    """Return whether this is a conversation of llama.cpp's web UI."""
    return isinstance(value.get("conv"), dict) and isinstance(value.get("messages"), list)


def chat(value: dict[str, Any]) -> WholeChat:
    """Read one conversation.

    Raises:
        Unreadable: When there is nothing in it, or too much.
    """
    conversation, nodes, order = of(value, "conv"), {}, {}
    for each in map(of, items(value.get("messages"))):
        found = key(each.get("id"))
        if found is not None:
            nodes[found] = _node(each)
            children = (key(child) for child in items(each.get("children")))
            order.update({child: at for at, child in enumerate(children) if child})
    frame = Frame(
        name(conversation.get("name")),
        updated=moment(conversation.get("lastModified")),
        current=key(conversation.get("currNode")),
        pinned=conversation.get("pinned") is True,
        order=order,
    )
    return grown(nodes, frame)


def _node(value: dict[str, Any]) -> Node:
    said, thought = without_thought(parts(value.get("content")))
    for extra in map(of, items(value.get("extra"))):  # texts and PDF files that were attached
        if attached := text(extra.get("content")):
            said += f"\n\n{name(extra.get('name'))}\n```\n{attached}\n```"
    role = value.get("role") if value.get("type") != "root" else ""
    return Node(
        key(value.get("parent")),
        role if isinstance(role, str) else "",
        said,
        text(value.get("reasoningContent")) or text(value.get("thinking")) or thought,
        moment=moment(value.get("timestamp")),
        model=name(value.get("model")),
        stats=_stats(of(value, "timings")),
    )


def _stats(timings: dict[str, Any]) -> Stats | None:
    written = whole(timings.get("predicted_n"))
    if not written:
        return None
    read, reused = whole(timings.get("prompt_n")), whole(timings.get("cache_n"))
    reading, writing = (seconds(timings.get(which)) / 1000 for which in ("prompt_ms", "predicted_ms"))
    return Stats(StopReason.END, read + reused, reused, written, reading, writing, reading, 0, 0)
