"""Conversations of LM Studio: one .conversation.json each, in ~/.lmstudio/conversations and its folders.

LM Studio documents no schema. A conversation is a list of messages with `versions`, of which
`currentlySelected` is shown and carried on. A version has its `content`, or `steps`, those whose `style` is
"thinking" before the answer.
"""

import re
from typing import Any

from app.domain.chat import Status
from app.domain.generation import Stats, StopReason
from app.domain.whole_chat import WholeChat
from app.services.imports.growing import Frame, Node, grown
from app.services.imports.shapes import items, moment, name, of, parts, seconds, text, whole, without_thought

NAME = "LM Studio"
_SYSTEM = "llm.prediction.systemPrompt"
_LASTED = re.compile(r"([\d.]{1,8}) second")
_ENDS = {"userStopped": StopReason.CANCELLED, "maxPredictedTokensReached": StopReason.LENGTH}
_ENDS["contextLengthReached"] = StopReason.LENGTH
_STATUSES = {
    StopReason.CANCELLED: Status.STOPPED,
    StopReason.LENGTH: Status.CUT,
    StopReason.END: Status.COMPLETE,
}


def claims(value: dict[str, Any]) -> bool:
    """Return whether this is a conversation of LM Studio."""
    listed = items(value.get("messages"))
    return "versions" in of(listed[0]) if listed else "usePerChatPredictionConfig" in value


def chat(value: dict[str, Any]) -> WholeChat:
    """Read one conversation.

    Raises:
        Unreadable: When there is nothing in it, or too much.
    """
    fallback = name(of(value, "lastUsedModel").get("identifier"))
    nodes: dict[str, Node] = {}
    above: str | None = None
    for place, each in enumerate(items(value.get("messages"))):
        versions = items(of(each).get("versions"))
        for number, version in enumerate(versions):
            nodes[f"{place}.{number}"] = _node(of(version), above, fallback)
        if versions:
            selected = whole(of(each).get("currentlySelected"))
            above = f"{place}.{min(selected, len(versions) - 1)}"
    fields = items(of(value, "perChatPredictionConfig").get("fields"))
    prompts = (text(of(field).get("value")) for field in fields if of(field).get("key") == _SYSTEM)
    frame = Frame(
        name(value.get("name")),
        moment(value.get("createdAt")),
        moment(value.get("userLastMessagedAt")) or moment(value.get("assistantLastMessagedAt")),
        next(prompts, "") or text(value.get("systemPrompt")),
        above,
        value.get("pinned") is True,
    )
    return grown(nodes, frame)


def _node(version: dict[str, Any], above: str | None, model: str) -> Node:
    role = version.get("role")
    made = Node(above, role if isinstance(role, str) else "", parts(version.get("content")))
    said, thoughts = [made.text], []
    for step in map(of, items(version.get("steps"))):
        words = parts(step.get("content")) if step.get("type") == "contentBlock" else ""
        if of(step, "style").get("type") == "thinking":
            thoughts.append(words)
            lasted = _LASTED.search(name(of(step, "style").get("title")))
            made.reasoning_seconds += float(lasted[1]) if lasted and lasted[1].count(".") < 2 else 0.0
        else:
            said.append(words)
        if "genInfo" in step:
            _tell(made, of(step, "genInfo"))
    made.text, thought = without_thought("\n\n".join(filter(None, said)))
    made.reasoning = "\n\n".join(filter(None, (*thoughts, thought))).strip()
    if made.role == "assistant":
        made.model = made.model or name(of(version, "senderInfo").get("senderName")) or model
    return made


def _tell(made: Node, info: dict[str, Any]) -> None:
    made.model = name(info.get("identifier")) or name(info.get("indexedModelIdentifier")) or made.model
    stats = of(info, "stats")
    if not stats:
        return
    reason = _ENDS.get(name(stats.get("stopReason")), StopReason.END)
    made.status = _STATUSES[reason]
    speed, first = seconds(stats.get("tokensPerSecond")), seconds(stats.get("timeToFirstTokenSec"))
    written = whole(stats.get("predictedTokensCount"))
    decode = (written - 1) / speed if speed and written > 1 else 0.0
    read = whole(stats.get("promptTokensCount"))
    made.stats = Stats(reason, read, 0, written, first, decode, first, 0, 0)
