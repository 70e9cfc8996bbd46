"""Each source's files come in whole; hostile ones are refused with a sentence."""

import json
import zipfile
from contextlib import suppress
from copy import deepcopy
from pathlib import Path

import foreign_chats as foreign
import pytest
from foreign_chats import AGAIN, ANSWERED, ASKED, BEGAN, MORE, MOST
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.chat import Message, Role, Tree
from app.domain.chat_file import Unreadable, to_object
from app.domain.whole_chat import WholeChat
from app.services.imports import containers, growing, shapes, sharegpt
from app.services.imports import values as json_values
from app.services.imports.shapes import LeftOut
from app.services.imports.sources import SOURCES, Arrival, arrivals


def all_of(*paths: Path) -> list[Arrival | LeftOut]:
    return list(arrivals(paths, lambda count: None))


def one(path: Path) -> WholeChat:
    (found,) = all_of(path)
    assert isinstance(found, Arrival), found
    return found.whole


def refusals(*paths: Path) -> list[str]:
    found = all_of(*paths)
    assert all(isinstance(each, LeftOut) for each in found)
    return [each.reason for each in found]


def written(path: Path, value: object) -> Path:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    path.write_text(text, encoding="utf-8")
    return path


def shown(whole: WholeChat) -> list[Message]:
    return Tree.of(whole.messages).path(whole.chat.tip_id)


def check(whole: WholeChat, *, branches: bool, system: str = "Be brief.") -> None:
    """Check what all samples have in common."""
    path = shown(whole)
    assert [message.role for message in path] == [Role.USER, Role.ASSISTANT] * 2
    assert [path[0].text, path[3].text] == [ASKED, MOST]
    assert path[1].text.endswith(ANSWERED)
    assert path[2].text.endswith(MORE)
    assert path[1].reasoning in ("Water first.", "Water <first>.")
    assert [message.id for message in path] == sorted(message.id for message in path)
    others = [message.text for message in whole.messages if message not in path]
    assert others == ([AGAIN] if branches else [])
    assert whole.chat.system_prompt == system
    for message in whole.messages:
        assert message.parent_id is None or message.parent_id < message.id
        assert message.created_at > 0


def test_chatgpt(tmp_path: Path) -> None:
    files = {
        "conversations.json": json.dumps([foreign.chatgpt(), foreign.chatgpt("Two", "Coffee?")]),
        "user.json": json.dumps({"id": "user-1", "email": "a@example.org"}),
        "message_feedback.json": "[]",
        "shared_conversations.json": json.dumps([{"id": "1", "title": "Tea"}]),
        "chat.html": "<html>",
        "file-1.png": b"\x89PNG",
    }
    first, second = all_of(foreign.archive(tmp_path / "export.zip", files))
    assert isinstance(first, Arrival)
    assert isinstance(second, Arrival)
    check(first.whole, branches=True, system="")
    answer = shown(first.whole)[1]
    assert answer.text == f"```python\nboil()\n```\n\n```\n100 °C\n```\n\n{ANSWERED}"
    assert (answer.reasoning_seconds, answer.model.name) == (4, "o3")
    assert shown(first.whole)[2].text.startswith("[")
    chat = first.whole.chat
    assert (first.source, chat.title, chat.pinned) == ("ChatGPT", "Tea", True)
    assert (chat.created_at, chat.updated_at) == (BEGAN, BEGAN + 9)


def test_open_webui(tmp_path: Path) -> None:
    whole = one(written(tmp_path / "chat-export.json", [foreign.open_webui()]))
    check(whole, branches=True)
    assert (shown(whole)[1].model.name, shown(whole)[1].reasoning_seconds) == ("Qwen 3", 4)
    assert (whole.chat.tags, whole.chat.pinned, whole.chat.created_at) == (("drinks",), True, BEGAN)


def test_lm_studio(tmp_path: Path) -> None:
    folder = tmp_path / "conversations" / "Kitchen"
    folder.mkdir(parents=True)
    written(folder / "1700000000000.conversation.json", foreign.lm_studio())
    whole = one(tmp_path)
    check(whole, branches=True)
    answer = shown(whole)[1]
    assert (answer.model.name, answer.reasoning_seconds) == ("qwen3-8b", 4)
    assert answer.stats.tokens_per_second == pytest.approx(20)
    assert whole.chat.created_at == BEGAN


@pytest.mark.parametrize("how", ["folder", "archive", "file"])
def test_jan(tmp_path: Path, how: str) -> None:
    folder = foreign.jan(tmp_path / "data")
    path = {"folder": folder, "file": folder / "threads" / "t" / "thread.json"}.get(how)
    if path is None:
        files = {str(each.relative_to(folder)): each.read_text() for each in folder.rglob("*.json*")}
        path = foreign.archive(tmp_path / "jan.zip", files)
    whole = one(path)
    check(whole, branches=False)
    assert shown(whole)[1].model.name == "qwen3-8b"
    assert shown(whole)[3].created_at == BEGAN + 3


@pytest.mark.parametrize("how", ["json", "list", "lines", "archive"])
def test_llama_ui(tmp_path: Path, how: str) -> None:
    lines = foreign.llama_ui_lines()
    match how:
        case "json":
            path = written(tmp_path / "conversation_c.json", foreign.llama_ui())
        case "list":
            path = written(tmp_path / "all.json", [foreign.llama_ui()])
        case "lines":
            path = written(tmp_path / "c.jsonl", lines)
        case _:
            path = foreign.archive(tmp_path / "conversations.zip", {"c.jsonl": lines})
    whole = one(path)
    check(whole, branches=True)
    stats = shown(whole)[1].stats
    assert (stats.prompt_tokens, stats.reused_tokens, stats.tokens_per_second) == (12, 4, 20)


def test_training_data(tmp_path: Path) -> None:
    check(one(written(tmp_path / "a.jsonl", foreign.sharegpt())), branches=False)
    turns = foreign.sharegpt()["conversations"]
    names = {"human": "user", "gpt": "assistant", "system": "system"}
    chatml = {"messages": [{"role": names[each["from"]], "content": each["value"]} for each in turns]}
    check(one(written(tmp_path / "b.jsonl", chatml)), branches=False)
    answered = f"<think>Water first.</think>{ANSWERED}"
    alpaca = {
        "instruction": MORE,
        "input": "",
        "output": MOST,
        "system": "Be brief.",
        "history": [[ASKED, answered]],
    }
    check(one(written(tmp_path / "c.json", [alpaca])), branches=False)


def test_our_own(tmp_path: Path) -> None:
    whole = one(written(tmp_path / "lms.json", foreign.lm_studio()))
    back = one(written(tmp_path / "own.jsonl", to_object(whole)))
    assert (back.chat.title, [m.text for m in back.messages]) == (
        whole.chat.title,
        [m.text for m in whole.messages],
    )


def test_good_chats_of_a_file_with_bad_ones(tmp_path: Path) -> None:
    circle = foreign.chatgpt("Circle")
    circle["mapping"]["u"]["parent"] = "w"
    hidden = foreign.chatgpt("Hidden circle")
    hidden["mapping"]["s"]["parent"] = "client-created-root"
    hidden["mapping"]["client-created-root"]["parent"] = "s"
    empty = {**foreign.chatgpt("Empty"), "mapping": {}}
    kinds = {"title": 5, "mapping": {"a": 7, "b": {"message": {"author": [], "content": "x"}, "children": 4}}}
    good = foreign.chatgpt("Good")
    good["mapping"]["u"]["parent"] = "gone"  # counts as none
    found = all_of(written(tmp_path / "c.json", [circle, hidden, empty, kinds, 17, good]))
    reasons = [(each.what, each.reason) for each in found[:-1]]
    assert reasons == [
        ("Circle", "Its messages answer each other in a circle."),
        ("Hidden circle", "Its messages answer each other in a circle."),
        ("Empty", "It has no messages."),
        ("c.json", "It has no messages."),
        ("c.json", "Something in it is not a chat."),
    ]
    assert isinstance(found[-1], Arrival)
    check(found[-1].whole, branches=True, system="")


def test_a_bad_line_leaves_the_others(tmp_path: Path) -> None:
    line = json.dumps(foreign.sharegpt())
    found = all_of(written(tmp_path / "c.jsonl", f'{line}\n{{"conversations": [\n\n{line}\n{line[:-1]}'))
    assert [type(each) for each in found] == [Arrival, LeftOut, Arrival, LeftOut]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_other_encodings_are_read(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "c.json"
    path.write_text(json.dumps([foreign.chatgpt()], ensure_ascii=False), encoding=encoding)
    check(one(path), branches=True, system="")


def test_what_is_no_file_of_chats(tmp_path: Path) -> None:
    latin = tmp_path / "latin.json"
    latin.write_bytes('{"conversations": [{"from": "human", "value": "Café"}]}'.encode("latin-1"))
    assert refusals(latin) == ["The file is not text in UTF-8."]
    assert refusals(tmp_path / "gone.json")[0].startswith("It could not be opened")
    assert refusals(written(tmp_path / "a.json", {"a": 1})) == ["Fireside does not know this kind of file."]
    assert refusals(written(tmp_path / "b.json", "")) == ["Fireside does not know this kind of file."]
    assert refusals(written(tmp_path / "c.json", "hello")) == [
        "The file is not JSON, or not all of it is there."
    ]
    deep = written(tmp_path / "d.json", "[" * 200_000)
    assert refusals(deep) == ["The file is nested too deeply."]
    digits = written(tmp_path / "e.json", '{"mapping": ' + "9" * 5000 + "}")
    assert refusals(digits) == ["The file is not JSON, or not all of it is there."]


def test_what_is_far_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = {"conversations": [{"from": "human", "value": "x" * 5000}]}
    many = {"conversations": [{"from": "human", "value": "x"}] * 30}
    ours = {"format": "fireside-chat", "version": 1, "messages": []}
    ours["messages"] = [{"id": 1, "parent": None, "role": "user", "text": "x" * 5000}]
    monkeypatch.setattr(shapes, "LONGEST_TEXT", 4000)
    monkeypatch.setattr("app.services.imports.fireside.LONGEST_TEXT", 4000)
    monkeypatch.setattr(growing, "MOST_MESSAGES", 20)
    path = written(tmp_path / "a.jsonl", "\n".join(map(json.dumps, (long, many, ours))))
    assert refusals(path) == [
        "One of its messages is far too long.",
        "It has far too many messages.",
        "It is far too long.",
    ]
    monkeypatch.setattr(json_values, "LONGEST", 2**20)
    huge = written(tmp_path / "b.json", '{"conversations": [{"from": "human", "value": "' + "x" * 2**22)
    assert refusals(huge) == ["One chat is far too long."]
    monkeypatch.setattr(json_values, "_FAR", 2**16)
    monkeypatch.setattr(json_values, "MOST_PARTS", 2**15)
    crowd = written(tmp_path / "c.json", '{"mapping": [' + "[]," * 2**16)
    assert refusals(crowd) == ["One chat has far too many parts."]


def test_versions_of_an_answer_in_steps_cannot_swell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(growing, "MOST_TEXT", 10_000)
    comb = foreign.chatgpt("Comb")
    for place in range(50):
        comb["mapping"][f"x{place}"] = {**comb["mapping"]["b"], "id": f"x{place}", "parent": "c"}
    comb["mapping"]["c"]["message"]["content"]["text"] = "x" * 1000
    assert refusals(written(tmp_path / "c.json", [comb])) == ["It is far too long."]


def test_a_long_run_of_steps_is_cut(tmp_path: Path) -> None:
    steps = [{"from": "gpt", "value": "step"}] * 1201
    whole = one(written(tmp_path / "c.json", {"conversations": [{"from": "human", "value": "go"}, *steps]}))
    assert [message.text.count("step") for message in whole.messages] == [0, 500, 500, 201]


def test_hostile_archives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = json.dumps([foreign.chatgpt()])
    names = {"../conversations.json": good, "/etc/a.json": good, "C:/a.json": good, "a/../../b.json": good}
    outside = foreign.archive(tmp_path / "outside.zip", {**names, "in/ok.json": good})
    found = all_of(outside)
    assert [each.reason for each in found if isinstance(each, LeftOut)] == [
        "Its name leads out of the archive."
    ] * 4
    assert sum(isinstance(each, Arrival) for each in found) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["outside.zip"]

    monkeypatch.setattr(containers, "_SUSPICIOUS_BYTES", 2**20)
    bomb = foreign.archive(tmp_path / "bomb.zip", {"a.json": "[" + " " * 2**22})
    assert refusals(bomb) == ["The archive would unpack to far more than a history of chats."]
    noise = bytes(range(256)) * 200
    half = foreign.archive(tmp_path / "half.zip", {"a.json": "[" + " " * 2**22, "b.json": good})
    with zipfile.ZipFile(half, "a", zipfile.ZIP_STORED) as made:
        made.writestr("c.bin", noise)
    found = all_of(half)
    assert [type(each) for each in found] == [LeftOut, Arrival]

    whole = outside.read_bytes()
    cut = tmp_path / "cut.zip"
    cut.write_bytes(whole[: len(whole) // 2])
    assert refusals(cut)[0].endswith(".")
    flipped = bytearray(whole)
    flipped[60:90] = b"\0" * 30
    (tmp_path / "flipped.zip").write_bytes(flipped)
    assert all(
        isinstance(each, Arrival) or each.reason.endswith(".") for each in all_of(tmp_path / "flipped.zip")
    )


def test_a_locked_archive(tmp_path: Path) -> None:
    path = foreign.archive(tmp_path / "a.zip", {"a.json": "[]"})
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1  # the bit for a password, in the list of files
    path.write_bytes(data)
    assert refusals(path) == ["It is locked with a password."]


JUNK = st.sampled_from(
    [None, True, 0, -1, 7, 1e400, -1e400, float("nan"), 10**30, "", "x", "a", "\ud800", [], {}, [[]]]
)
SAMPLES = [
    foreign.chatgpt(),
    foreign.open_webui(),
    foreign.lm_studio(),
    foreign.llama_ui(),
    foreign.sharegpt(),
]
SAMPLES += [to_object(sharegpt.chat(foreign.sharegpt()))]


def places(value: object, path: tuple = ()) -> list[tuple]:
    """Return the way to everything in a value."""
    inside = (
        enumerate(value)
        if isinstance(value, list | tuple)
        else value.items()
        if isinstance(value, dict)
        else ()
    )
    return [path] * bool(path) + [each for key, below in inside for each in places(below, (*path, key))]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(SAMPLES), st.lists(st.tuples(st.integers(0, 10**6), JUNK), min_size=1, max_size=4))
def test_nothing_in_a_file_is_believed_to_be_of_a_type(sample: dict, changes: list) -> None:
    value = json.loads(json.dumps(sample))
    for place, junk in changes:
        found = places(value)
        *way, last = found[place % len(found)] if found else ("title",)
        target = value
        for key in way:
            target = target[key]
        target[last] = deepcopy(junk)
    for source in SOURCES:
        if source.claims(value):
            with suppress(Unreadable):
                whole = source.chat(value)
                seen: set[int] = set()
                for message in whole.messages:
                    assert message.parent_id is None or message.parent_id in seen
                    assert 0 <= message.created_at < 1e11
                    seen.add(message.id)
                assert whole.chat.tip_id in seen or not seen
