"""Training data as JSON Lines, or as a list: ShareGPT, ChatML and Alpaca.

As https://llamafactory.readthedocs.io/en/latest/getting_started/data_preparation.html describes them:
ShareGPT {conversations: [{from, value}], system}, ChatML {messages: [{role, content}]}, and Alpaca
{instruction, input, output, system, history: [[question, answer] …]}.
"""

from typing import Any

from app.domain.whole_chat import WholeChat
from app.services.imports.growing import Frame, Node, chain, grown
from app.services.imports.shapes import items, name, of, parts, text, without_thought

NAME = "ShareGPT"
_ROLES = {
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bing": "assistant",
    "bard": "assistant",
    "assistant": "assistant",
    "model": "assistant",
    "system": "system",
    "developer": "system",
    "tool": "tool",
    "function": "tool",
    "observation": "tool",
    "function_call": "assistant",
}


def claims(value: dict[str, Any]) -> bool:
    """Return whether this is a conversation to learn from."""
    spoken = items(value.get("conversations")) or items(value.get("items")) or items(value.get("messages"))
    first = of(spoken[0]) if spoken else {}
    return ("from" in first or "role" in first) or ("instruction" in value and "output" in value)


def chat(value: dict[str, Any]) -> WholeChat:
    """Read one conversation.

    Raises:
        Unreadable: When there is nothing in it, or too much.
    """
    spoken = items(value.get("conversations")) or items(value.get("items")) or items(value.get("messages"))
    nodes = [_node(of(each)) for each in spoken] or _alpaca(value)
    system = text(value.get("system")) or text(value.get("system_prompt"))
    model = name(value.get("model"))
    for node in nodes:
        node.model = model
    return grown(chain(nodes), Frame(name(value.get("title")), system_prompt=system))


def _node(value: dict[str, Any]) -> Node:
    speaker = name(value.get("from")) or name(value.get("role"))
    said, thought = without_thought(parts(value.get("value")) or parts(value.get("content")))
    thought = text(value.get("reasoning_content")) or thought
    return Node(None, _ROLES.get(speaker.lower(), ""), said, thought)


def _alpaca(value: dict[str, Any]) -> list[Node]:
    asked = "\n".join(filter(None, (text(value.get("instruction")), text(value.get("input")))))
    turns = [items(turn) for turn in items(value.get("history"))]
    nodes = []
    for question, answer in [*(turn for turn in turns if len(turn) == 2), [asked, value.get("output")]]:
        said, thought = without_thought(text(answer))
        nodes += [Node(None, "user", text(question)), Node(None, "assistant", said, thought)]
    return nodes
