"""The export of Open WebUI: a list of {title, chat: {history: {messages, currentId}}}, or one such object.

Source: src/lib/utils and backend/open_webui/models/chats.py of https://github.com/open-webui/open-webui.
Reasoning stands in the text, in <details type="reasoning" duration="…">, each line quoted and escaped.
"""

import html
import re
from typing import Any

from app.domain.chat import Status
from app.domain.whole_chat import WholeChat
from app.services.imports.growing import Frame, Node, chain, grown
from app.services.imports.shapes import items, key, moment, name, of, parts, seconds, text, without_thought

NAME = "Open WebUI"
_DETAILS = re.compile(r'<details type="reasoning"([^>]*)>(.*?)</details>\s*', re.DOTALL)
_SUMMARY = re.compile(r"\s*<summary>.*?</summary>", re.DOTALL)
_QUOTE = re.compile(r"^(?:> ?|>)", re.MULTILINE)
_DURATION = re.compile(r'duration="([\d.]{1,12})"')


def claims(value: dict[str, Any]) -> bool:
    """Return whether this is a chat of Open WebUI."""
    inner = of(value, "chat") or value
    return "messages" in of(inner, "history")


def chat(value: dict[str, Any]) -> WholeChat:
    """Read one chat.

    Raises:
        Unreadable: When there is nothing in it, or too much.
    """
    inner = of(value, "chat") or value
    history = of(inner, "history")
    listed = of(history, "messages")
    nodes, order = {}, {}
    for place, each in listed.items():
        nodes[place] = _node(of(each))
        found = (key(child) for child in items(of(each).get("childrenIds")))
        order.update({child: at for at, child in enumerate(found) if child})
    if not nodes:
        nodes = chain([_node(of(each)) for each in items(inner.get("messages"))])
    frame = Frame(
        name(value.get("title")) or name(inner.get("title")),
        moment(value.get("created_at")) or moment(inner.get("timestamp")),
        moment(value.get("updated_at")),
        text(of(inner, "params").get("system")) or text(inner.get("system")),
        key(history.get("currentId")),
        value.get("pinned") is True,
        value.get("archived") is True,
        tags=[name(tag) for tag in items(of(value, "meta").get("tags"))],
        order=order,
    )
    return grown(nodes, frame)


def _node(value: dict[str, Any]) -> Node:
    said, thought, lasted = _without_details(parts(value.get("content")))
    if not thought:
        said, thought = without_thought(said)
    error = value.get("error")
    sentence = text(error) or text(of(error).get("content"))
    role = value.get("role")
    return Node(
        key(value.get("parentId")),
        role if isinstance(role, str) else "",
        said,
        thought,
        lasted,
        moment(value.get("timestamp")),
        name(value.get("modelName")) or name(value.get("model")),
        status=Status.FAILED
        if sentence
        else Status.STOPPED
        if value.get("done") is False
        else Status.COMPLETE,
        error=sentence,
    )


def _without_details(said: str) -> tuple[str, str, float]:
    thoughts, lasted = [], 0.0
    if "<details" not in said:
        return said, "", 0.0
    for found in _DETAILS.finditer(said):
        thought = _QUOTE.sub("", html.unescape(_SUMMARY.sub("", found[2], count=1)).strip("\n"))
        thoughts.append(thought.strip())
        duration = _DURATION.search(found[1])
        lasted += seconds(_float(duration[1])) if duration else 0.0
    return _DETAILS.sub("", said), "\n\n".join(thoughts), lasted


def _float(digits: str) -> float:
    try:
        return float(digits)
    except ValueError:
        return 0.0
