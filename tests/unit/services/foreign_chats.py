"""Files as other apps write them, with one small conversation in each, and a branch where they have these."""

import json
import zipfile
from pathlib import Path
from typing import Any

ASKED, ANSWERED, AGAIN = "How do I make tea?", "Boil water.", "先烧水。"
MORE, MOST = "And then?", "Add leaves."
BEGAN = 1_700_000_000.0


def chatgpt(title: str = "Tea", said: str = ASKED) -> dict[str, Any]:
    def node(key: str, parent: str | None, children: list[str], message: Any = None) -> dict[str, Any]:
        return {"id": key, "parent": parent, "children": children, "message": message}

    def message(role: str, content: dict[str, Any], **metadata: Any) -> dict[str, Any]:
        return {
            "id": "m",
            "author": {"role": role, "name": None, "metadata": {}},
            "create_time": BEGAN + 1,
            "update_time": None,
            "content": content,
            "status": "finished_successfully",
            "end_turn": True,
            "weight": 1.0,
            "metadata": metadata,
            "recipient": "all",
            "channel": None,
        }

    def text(*parts: Any) -> dict[str, Any]:
        return {"content_type": "text", "parts": list(parts)}

    thoughts = {"content_type": "thoughts", "thoughts": [{"summary": "Tea", "content": "Water first."}]}
    recap = {"content_type": "reasoning_recap", "content": "Thought for 4 seconds"}
    code = {"content_type": "code", "language": "python", "text": "boil()"}
    output = {"content_type": "execution_output", "text": "100 °C"}
    image = {"content_type": "multimodal_text", "parts": [{"content_type": "image_asset_pointer"}, MORE]}
    nodes = [
        node("client-created-root", None, ["s"]),
        node(
            "s",
            "client-created-root",
            ["u"],
            message("system", text(""), is_visually_hidden_from_conversation=True),
        ),
        node("u", "s", ["t", "b"], message("user", text(said))),
        node("b", "u", [], message("assistant", text(AGAIN), model_slug="gpt-4o")),
        node("t", "u", ["r"], message("assistant", thoughts, model_slug="o3")),
        node("r", "t", ["c"], message("assistant", recap, finished_duration_sec=4)),
        node("c", "r", ["o"], message("assistant", code, model_slug="o3")),
        node("o", "c", ["a"], message("tool", output)),
        node(
            "a",
            "o",
            ["v"],
            message("assistant", text(f"{ANSWERED}\ue200cite\ue202turn0\ue201"), model_slug="o3"),
        ),
        node("v", "a", ["w"], message("user", image)),
        node("w", "v", [], message("assistant", text(MOST), model_slug="o3")),
    ]
    return {
        "title": title,
        "create_time": BEGAN,
        "update_time": BEGAN + 9,
        "mapping": {each["id"]: each for each in nodes},
        "moderation_results": [],
        "current_node": "w",
        "conversation_id": "c-1",
        "is_archived": False,
        "is_starred": True,
    }


def open_webui() -> dict[str, Any]:
    thought = (
        '<details type="reasoning" done="true" duration="4">\n<summary>Thought for 4 seconds</summary>\n'
        "&gt; Water &lt;first&gt;.\n</details>\n"
    )

    def message(
        key: str, parent: str | None, children: list[str], role: str, content: str, **more: Any
    ) -> Any:
        shape = {"id": key, "parentId": parent, "childrenIds": children, "role": role, "content": content}
        return {**shape, "timestamp": int(BEGAN) + 1, **more}

    messages = [
        message("u", None, ["a", "b"], "user", ASKED, models=["qwen3:8b"]),
        message(
            "a", "u", ["v"], "assistant", thought + ANSWERED, model="qwen3:8b", modelName="Qwen 3", done=True
        ),
        message("b", "u", [], "assistant", AGAIN, model="qwen3:8b", done=True),
        message("v", "a", ["w"], "user", MORE),
        message("w", "v", [], "assistant", MOST, model="qwen3:8b", done=True),
    ]
    return {
        "id": "x",
        "user_id": "y",
        "title": "Tea",
        "chat": {
            "title": "Tea",
            "models": ["qwen3:8b"],
            "params": {"system": "Be brief."},
            "history": {"messages": {each["id"]: each for each in messages}, "currentId": "w"},
            "messages": [],
            "timestamp": int(BEGAN * 1000),
        },
        "created_at": int(BEGAN),
        "updated_at": int(BEGAN) + 9,
        "archived": False,
        "pinned": True,
        "meta": {"tags": ["drinks"]},
    }


def lm_studio() -> dict[str, Any]:
    def user(said: str) -> dict[str, Any]:
        version = {"type": "singleStep", "role": "user", "content": [{"type": "text", "text": said}]}
        return {"versions": [version], "currentlySelected": 0}

    def block(said: str, **more: Any) -> dict[str, Any]:
        return {"type": "contentBlock", "content": [{"type": "text", "text": said}], **more}

    def answer(*steps: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "multiStep",
            "role": "assistant",
            "senderInfo": {"senderName": "qwen3-8b"},
            "steps": steps,
        }

    info = {
        "identifier": "qwen3-8b",
        "stats": {
            "stopReason": "eosFound",
            "tokensPerSecond": 20.0,
            "timeToFirstTokenSec": 0.5,
            "promptTokensCount": 12,
            "predictedTokensCount": 41,
        },
    }
    thinking = {"type": "thinking", "ended": True, "title": "Thought for 4.00 seconds"}
    first = answer(
        block("Water first.", style=thinking), block(ANSWERED, genInfo=info), {"type": "debugInfoBlock"}
    )
    return {
        "name": "Tea",
        "pinned": True,
        "createdAt": int(BEGAN * 1000),
        "tokenCount": 99,
        "systemPrompt": "",
        "messages": [
            user(ASKED),
            {"versions": [answer(block(AGAIN)), first], "currentlySelected": 1},
            user(MORE),
            {"versions": [answer(block(MOST))], "currentlySelected": 0},
        ],
        "usePerChatPredictionConfig": True,
        "perChatPredictionConfig": {"fields": [{"key": "llm.prediction.systemPrompt", "value": "Be brief."}]},
        "lastUsedModel": {"identifier": "qwen3-8b"},
    }


def jan(folder: Path) -> Path:
    """Write the folder of one thread; return the folder of all."""

    def message(place: int, role: str, said: str) -> dict[str, Any]:
        content = [{"type": "text", "text": {"value": said, "annotations": []}}]
        shape = {
            "id": str(place),
            "object": "thread.message",
            "thread_id": "t",
            "role": role,
            "content": content,
        }
        return {**shape, "status": "ready", "created_at": (BEGAN + place) * 1000, "metadata": {}}

    said = [
        message(0, "user", ASKED),
        message(1, "assistant", f"<think>\nWater first.\n</think>\n\n{ANSWERED}"),
        message(2, "user", MORE),
        message(3, "assistant", MOST),
    ]
    thread = {
        "id": "t",
        "object": "thread",
        "title": "Tea",
        "assistants": [{"assistant_id": "jan", "instructions": "Be brief.", "model": {"id": "qwen3-8b"}}],
        "created": BEGAN,
        "updated": BEGAN + 9,
        "metadata": {},
    }
    place = folder / "threads" / "t"
    place.mkdir(parents=True)
    (place / "thread.json").write_text(json.dumps(thread, indent=2), encoding="utf-8")
    lines = "\n".join(json.dumps(each) for each in reversed(said))
    (place / "messages.jsonl").write_text(lines, encoding="utf-8")
    return folder


def llama_ui() -> dict[str, Any]:
    def message(key: str, parent: str | None, children: list[str], role: str, said: str, **more: Any) -> Any:
        shape = {
            "id": key,
            "convId": "c",
            "parent": parent,
            "children": children,
            "role": role,
            "content": said,
        }
        return {**shape, "type": "text", "timestamp": int(BEGAN * 1000) + 1000, **more}

    timings = {"cache_n": 4, "prompt_n": 8, "prompt_ms": 500, "predicted_n": 41, "predicted_ms": 2000}
    model = {"model": "qwen3-8b", "timings": timings}
    return {
        "conv": {
            "id": "c",
            "name": "Tea",
            "lastModified": int(BEGAN * 1000) + 9000,
            "currNode": "w",
            "pinned": True,
        },
        "messages": [
            message("r", None, ["s"], "system", "", type="root"),
            message("s", "r", ["u"], "system", "Be brief."),
            message("u", "s", ["a", "b"], "user", ASKED),
            message("a", "u", ["v"], "assistant", ANSWERED, reasoningContent="Water first.", **model),
            message("b", "u", [], "assistant", AGAIN, **model),
            message("v", "a", ["w"], "user", MORE),
            message("w", "v", [], "assistant", MOST, **model),
        ],
    }


def llama_ui_lines() -> str:
    """The same as JSON Lines, as the web UI writes it since 2026."""
    whole = llama_ui()
    session = {"harness": "llama.app", "type": "session", **whole["conv"]}
    records = [{"message": each, "type": "message"} for each in whole["messages"]]
    return "\n".join(json.dumps(each, ensure_ascii=False) for each in (session, *records))


def sharegpt() -> dict[str, Any]:
    said = [
        ("human", ASKED),
        ("gpt", f"<think>Water first.</think>{ANSWERED}"),
        ("human", MORE),
        ("gpt", MOST),
    ]
    turns = [{"from": "system", "value": "Be brief."}, *({"from": who, "value": what} for who, what in said)]
    return {"id": "1", "conversations": turns}


def archive(path: Path, files: dict[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return path
