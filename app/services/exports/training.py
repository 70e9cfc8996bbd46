"""Chats as examples for training, one JSON object a line.

As https://llamafactory.readthedocs.io/en/latest/getting_started/data_preparation.html describes ShareGPT
({conversations: [{from, value}], system}), ChatML ({messages: [{role, content}]}) and Alpaca ({instruction,
input, output, system, history: [[question, answer] …]}). An example is a version of a chat, without what
was thought: questions and whole answers in turn, from the first question to the last answer. Answers that
broke off teach nothing good, so what they belong to ends before them.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from app.domain.chat import Message, Role, Status
from app.domain.whole_chat import WholeChat
from app.services.exports.formats import Format
from app.services.exports.spoken import shown, versions

_Turn = tuple[str, str]


def lines(whole: WholeChat, format_: Format, *, branches: bool) -> Iterator[str]:
    """Return the examples of a chat: of the version that is shown, or of every one."""
    told = set()
    for path in versions(whole) if branches else [shown(whole)]:
        turns = _turns(path)
        if turns and (key := tuple(turns)) not in told:
            told.add(key)
            made = _SHAPES[format_](turns, whole.chat.system_prompt.strip())
            yield json.dumps(made, ensure_ascii=False) + "\n"


def _turns(path: Sequence[Message]) -> list[_Turn]:
    turns: list[_Turn] = []
    asked: list[str] = []
    for message in path:
        if message.role is Role.USER:
            asked.append(message.text)
        elif message.role is Role.ASSISTANT:
            if message.status is not Status.COMPLETE or not message.text.strip():
                break
            if asked:
                turns.append(("\n\n".join(asked), message.text))
                asked = []
            elif turns:
                question, answer = turns[-1]
                turns[-1] = (question, f"{answer}\n\n{message.text}")
    return turns


def _sharegpt(turns: Sequence[_Turn], system: str) -> dict[str, Any]:
    said = [each for asked, answered in turns for each in (("human", asked), ("gpt", answered))]
    made: dict[str, Any] = {"conversations": [{"from": who, "value": text} for who, text in said]}
    return {**made, "system": system} if system else made


def _chatml(turns: Sequence[_Turn], system: str) -> dict[str, Any]:
    said = [("system", system)] if system else []
    said += [each for asked, answered in turns for each in (("user", asked), ("assistant", answered))]
    return {"messages": [{"role": role, "content": text} for role, text in said]}


def _alpaca(turns: Sequence[_Turn], system: str) -> dict[str, Any]:
    *history, (asked, answered) = turns
    made: dict[str, Any] = {"instruction": asked, "input": "", "output": answered}
    if system:
        made["system"] = system
    return {**made, "history": [list(turn) for turn in history]} if history else made


_SHAPES = {Format.SHAREGPT: _sharegpt, Format.CHATML: _chatml, Format.ALPACA: _alpaca}
