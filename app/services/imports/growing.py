"""The tree of a chat out of what a source says of each message.

Sources tell more than Fireside shows: empty and hidden messages, system prompts, and answers in several
steps with tools between them. Here these become one conversation in which people and models take turns,
with every branch.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from app.domain.chat import Chat, Message, ModelIdentity, Role, Status, title_from
from app.domain.chat_file import Unreadable
from app.domain.generation import Stats
from app.domain.language import _
from app.domain.whole_chat import WholeChat

MOST_MESSAGES = 200_000
MOST_TEXT = 128 * 2**20
"""Characters of a chat; versions of an answer in steps repeat those that they share."""
_MOST_STEPS = 500
_ANSWERS = ("assistant", "tool")


@dataclass(slots=True)
class Node:
    """One message of a source.

    Attributes:
        parent: The key of the one before it; one that is not there counts as none.
        role: "user", "assistant", "tool" or "system"; anything else is not shown.
        moment: Seconds since the epoch; 0 when unknown.
    """

    parent: str | None
    role: str
    text: str = ""
    reasoning: str = ""
    reasoning_seconds: float = 0.0
    moment: float = 0.0
    model: str = ""
    stats: Stats | None = None
    status: Status = Status.COMPLETE
    error: str = ""

    @property
    def shown(self) -> bool:
        """Return whether there is anything to see of it."""
        return self.role in ("user", *_ANSWERS) and bool(self.text.strip() or self.reasoning or self.error)


@dataclass(slots=True)
class Frame:
    """What a source says of the chat itself; `current` is the key of the message that it shows last."""

    title: str = ""
    created: float = 0.0
    updated: float = 0.0
    system_prompt: str = ""
    current: str | None = None
    pinned: bool = False
    archived: bool = False
    folder: str = ""
    tags: Sequence[str] = ()
    order: Mapping[str, int] = field(default_factory=dict)


def grown(nodes: Mapping[str, Node], frame: Frame) -> WholeChat:
    """Return the chat of these messages; siblings stand in the order of `frame.order`, else of `nodes`.

    Raises:
        Unreadable: When there is nothing to show, too much, or messages answer each other in a circle.
    """
    if len(nodes) > MOST_MESSAGES:
        raise Unreadable(_("It has far too many messages."))
    growth = _Growth(nodes, _children(nodes, frame.order))
    messages = growth.messages()
    if not messages:
        raise Unreadable(_("It has no messages."))
    prompts = dict.fromkeys(node.text.strip() for node in nodes.values() if node.role == "system")
    system = "\n\n".join(filter(None, dict.fromkeys([frame.system_prompt.strip(), *prompts])))
    moments = [message.created_at for message in messages if message.created_at] or [time.time()]
    created = frame.created or min(moments)
    first = next((each.text for each in messages if each.role is Role.USER), messages[0].text)
    chat = Chat(
        1,
        frame.title or title_from(first),
        growth.message_of(frame.current) or _newest(messages),
        system_prompt=system,
        pinned=frame.pinned,
        created_at=created,
        updated_at=frame.updated or max(*moments, created),
        archived=frame.archived,
        tags=tuple(sorted({tag for tag in frame.tags if tag})),
    )
    return WholeChat(chat, tuple(_dated(messages, created)), folder=frame.folder)


def _children(nodes: Mapping[str, Node], order: Mapping[str, int]) -> dict[str | None, list[str]]:
    """Return the shown messages below each shown one."""
    above: dict[str, str | None] = {}
    for key in nodes:
        way, place = [], nodes[key].parent
        seen = {key}
        while place in nodes and place is not None and not nodes[place].shown and place not in above:
            if place in seen:
                raise Unreadable(_("Its messages answer each other in a circle."))
            seen.add(place)
            way.append(place)
            place = nodes[place].parent
        if place in above and place is not None and not nodes[place].shown:
            place = above[place]
        for each in (key, *way):
            above[each] = place if place in nodes else None
    children: dict[str | None, list[str]] = {}
    for key, node in nodes.items():
        if node.shown:
            children.setdefault(above[key], []).append(key)
    for siblings in children.values():
        siblings.sort(key=lambda key: order.get(key, len(nodes)))
    return children


class _Growth:
    def __init__(self, nodes: Mapping[str, Node], children: Mapping[str | None, list[str]]) -> None:
        self._nodes, self._children = nodes, children
        self._made: list[Message] = []
        self._became: dict[str, int] = {}
        self._length = 0

    def messages(self) -> list[Message]:
        # Each place holds a node, the message above it, and the steps of the answer it may go on with.
        places: list[tuple[str, int | None, tuple[str, ...]]] = [
            (key, None, ()) for key in reversed(self._children.get(None, []))
        ]
        visited = 0
        while places:
            key, above, steps = places.pop()
            visited += 1
            below = self._children.get(key, [])
            if self._nodes[key].role == "user":
                further: int | None = self._add([key], above)
                steps = ()
            else:
                steps = (*steps, key)
                ends = not below or any(self._nodes[each].role == "user" for each in below)
                further = self._add(steps, above) if ends or len(steps) == _MOST_STEPS else None
                if len(steps) == _MOST_STEPS:
                    steps = ()
            for each in reversed(below):
                goes_on = self._nodes[each].role != "user" and bool(steps)
                places.append((each, above if goes_on else further, steps if goes_on else ()))
        if visited < sum(node.shown for node in self._nodes.values()):
            raise Unreadable(_("Its messages answer each other in a circle."))
        return self._made

    def message_of(self, key: str | None) -> int | None:
        """Return the id of the message that a node became, or the one before it."""
        for _step in range(len(self._nodes)):
            if key in self._became or key not in self._nodes or key is None:
                break
            key = self._nodes[key].parent
        return self._became.get(key or "")

    def _add(self, keys: Sequence[str], above: int | None) -> int:
        steps = [self._nodes[key] for key in keys]
        self._length += sum(len(step.text) + len(step.reasoning) for step in steps)
        if self._length > MOST_TEXT or len(self._made) == MOST_MESSAGES:
            raise Unreadable(_("It is far too long."))
        number = len(self._made) + 1
        for key in keys:
            self._became.setdefault(key, number)
        answers = [step for step in steps if step.role == "assistant"]
        model = next((step.model for step in reversed(steps) if step.model), "")
        last = (answers or steps)[-1]
        self._made.append(
            Message(
                number,
                1,
                above,
                Role.USER if last.role == "user" else Role.ASSISTANT,
                "\n\n".join(filter(None, map(_said, steps))),
                last.status,
                next((step.moment for step in steps if step.moment), 0.0),
                ModelIdentity(model) if model and last.role != "user" else None,
                None,
                last.stats,
                last.error,
                "\n\n".join(step.reasoning for step in steps if step.reasoning),
                sum(step.reasoning_seconds for step in steps),
            )
        )
        return number


def _said(step: Node) -> str:
    said = step.text.strip("\n")
    if step.role != "tool" or not said:
        return said
    fence = "```"
    while fence in said:
        fence += "`"
    return f"{fence}\n{said}\n{fence}"


def _dated(messages: Sequence[Message], created: float) -> list[Message]:
    """Give messages without a time that of the one before."""
    times: dict[int | None, float] = {None: created}
    dated = []
    for message in messages:
        times[message.id] = message.created_at or times[message.parent_id]
        dated.append(message if message.created_at else replace(message, created_at=times[message.id]))
    return dated


def _newest(messages: Sequence[Message]) -> int:
    below: dict[int | None, int] = {message.parent_id: message.id for message in messages}
    found = below[None]
    while found in below:
        found = below[found]
    return found


def chain(nodes: Sequence[Node]) -> dict[str, Node]:
    """Return messages that follow one another; their parents are set."""
    for place, node in enumerate(nodes):
        node.parent = str(place - 1) if place else None
    return {str(place): node for place, node in enumerate(nodes)}
