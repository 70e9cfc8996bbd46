"""The export of ChatGPT: an archive with conversations.json, a list of trees.

OpenAI documents no schema. What is read here: `title`, `create_time`, `update_time`, `current_node`,
`is_archived`, `is_starred`, and `mapping`, in which each node has `parent`, `children` and a `message` with
`author.role`, `content` by its `content_type`, `create_time`, `recipient` and `metadata`.
"""

import re
from typing import Any

from app.domain.chat import Status
from app.domain.language import _
from app.domain.whole_chat import WholeChat
from app.services.imports.growing import Frame, Node, grown
from app.services.imports.shapes import items, key, moment, name, of, seconds, text

NAME = "ChatGPT"
_CITATION = re.compile("\ue200[^\ue201]*\ue201|[\ue200-\ue206]")  # marks for the app alone to resolve
_BROKEN_OFF = {"interrupted", "max_tokens"}


def claims(value: dict[str, Any]) -> bool:
    """Return whether this is a conversation of ChatGPT."""
    return isinstance(value.get("mapping"), dict)


def chat(value: dict[str, Any]) -> WholeChat:
    """Read one conversation.

    Raises:
        Unreadable: When there is nothing in it, or too much.
    """
    nodes: dict[str, Node] = {}
    order: dict[str, int] = {}
    for place, each in of(value, "mapping").items():
        nodes[place] = _node(of(each))
        order.update(
            {found: at for at, child in enumerate(items(of(each).get("children"))) if (found := key(child))}
        )
    for node in [node for node in nodes.values() if node.reasoning_seconds and not node.shown]:
        if node.parent in nodes:  # "Thought for 4 seconds" is a message of its own, behind the thoughts
            nodes[node.parent].reasoning_seconds = node.reasoning_seconds
    frame = Frame(
        name(value.get("title")),
        moment(value.get("create_time")),
        moment(value.get("update_time")),
        current=key(value.get("current_node")),
        pinned=value.get("is_starred") is True,
        archived=value.get("is_archived") is True,
        order=order,
    )
    return grown(nodes, frame)


def _node(value: dict[str, Any]) -> Node:
    message, parent = of(value, "message"), key(value.get("parent"))
    metadata, content = of(message, "metadata"), of(message, "content")
    role = of(message, "author").get("role")
    if metadata.get("is_visually_hidden_from_conversation") is True or not isinstance(role, str):
        return Node(parent, "")
    broken = of(metadata, "finish_details").get("type") in _BROKEN_OFF
    said, thought = _content(content)
    made = Node(
        parent,
        role,
        _CITATION.sub("", said),
        thought,
        seconds(metadata.get("finished_duration_sec")),
        moment(message.get("create_time")),
        name(metadata.get("model_slug")),
    )
    if content.get("content_type") in ("user_editable_context", "model_editable_context"):
        made.role = "system" if content.get("content_type") == "user_editable_context" else ""
    elif broken and role == "assistant":
        made.status = Status.STOPPED
    return made


def _content(content: dict[str, Any]) -> tuple[str, str]:
    """Return what a message says, and what the model thought."""
    match content.get("content_type"):
        case "thoughts":
            thoughts = (of(each) for each in items(content.get("thoughts")))
            said = [text(each.get("content")) or text(each.get("summary")) for each in thoughts]
            return "", "\n\n".join(filter(None, said))
        case "reasoning_recap":
            return "", ""
        case "code":
            code = text(content.get("text"))
            language = name(content.get("language"))
            return (f"```{'' if language == 'unknown' else language}\n{code}\n```" if code else ""), ""
        case "user_editable_context":
            return "\n\n".join(
                filter(None, (text(content.get(n)) for n in ("user_profile", "user_instructions")))
            ), ""
        case "tether_quote" | "tether_browsing_display" | "execution_output" | "system_error" | None:
            return text(content.get("text")) or text(content.get("result")), ""
    return "\n".join(filter(None, (_part(part) for part in items(content.get("parts"))))) or text(
        content.get("text")
    ), ""


def _part(part: Any) -> str:
    if isinstance(part, str):
        return text(part)
    match of(part).get("content_type"):
        case "image_asset_pointer":
            return _("[an image that was not imported]")
        case "audio_transcription":
            return text(part.get("text"))
    return ""
