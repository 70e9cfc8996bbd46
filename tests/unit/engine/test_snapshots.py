"""Snapshots give a chat back after a restart, and nothing that is wrong with them is ever noticed."""

import json
import logging
import os
import random
import resource
import shutil
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from engine_driver import NO_END, Steps, write_small
from lora_files import random_lora

from app.domain.generation import Stats, Turn
from app.domain.loading import Adapter, LoadOptions
from app.domain.settings import Settings
from app.engine import snapshots
from app.engine.loaded import SNAPSHOTS
from app.engine.snapshots import Snapshots

pytestmark = pytest.mark.real_model

GREEDY = Settings(temperature=0, max_tokens=8, context=512, speculation=False)
FIRST = Turn("user", "The heron waits for the fish in the shallow water of the lake. " * 6 + "Count to 10.")
MORE = Turn("user", "Go on counting.")


def talk(folder: Path | None, model: Path, *turns: Turn, **fields) -> tuple[str, Stats]:
    """Answer in an engine that is started for it and closed after it."""
    steps = Steps(folder)
    try:
        return steps.answer(model, *turns, settings=fields.pop("settings", GREEDY), **fields)
    finally:
        steps.close()


def files(folder: Path) -> list[Path]:
    return sorted((folder / SNAPSHOTS).glob("*"))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def kept(smollm2: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, Stats]:
    """A folder with the snapshot of chat 7, the answer in it, and what that took. Read only."""
    folder = tmp_path_factory.mktemp("kept")
    text, stats = talk(folder, smollm2, FIRST, chat=7)
    return folder, text, stats


@pytest.fixture(scope="module")
def cold(smollm2: Path, kept: tuple[Path, str, Stats]) -> str:
    """The second answer of the chat, by an engine that reads everything."""
    text, stats = talk(None, smollm2, FIRST, Turn("assistant", kept[1]), MORE)
    assert stats.reused_tokens == 0
    return text


@pytest.fixture
def folder(kept: tuple[Path, str, Stats], tmp_path: Path) -> Path:
    """A copy of `kept` to change."""
    shutil.copytree(kept[0], tmp_path / "data")
    return tmp_path / "data"


def go_on(folder: Path, model: Path, kept: tuple[Path, str, Stats], **fields) -> tuple[str, Stats]:
    return talk(folder, model, FIRST, Turn("assistant", kept[1]), MORE, **fields)


def test_a_chat_goes_on_after_a_restart_as_if_there_had_been_none(
    kept: tuple[Path, str, Stats], cold: str, folder: Path, smollm2: Path
) -> None:
    text, stats = go_on(folder, smollm2, kept, chat=7)
    _folder, _text, first = kept
    # The last token of an answer that its limit ended was never read.
    assert stats.reused_tokens == first.prompt_tokens + first.generated_tokens - 1
    assert text == cold
    # The longer state takes the place of the one that it begins with.
    assert len(files(folder)) == 2


def test_the_files_are_for_this_person_alone_and_whole(kept: tuple[Path, str, Stats]) -> None:
    found = files(kept[0])
    assert [path.suffix for path in found] == [".json", ".state"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in found} == {0o600}
    assert stat.S_IMODE((kept[0] / SNAPSHOTS).stat().st_mode) == 0o700
    said = json.loads(found[0].read_bytes())
    assert (said["chat"], said["size"]) == (7, found[1].stat().st_size)
    assert snapshots.usage(kept[0] / SNAPSHOTS) == (1, found[1].stat().st_size)
    assert b"heron" not in found[0].read_bytes()


def test_nothing_is_written_for_what_must_leave_no_trace(small: Path, tmp_path: Path) -> None:
    talk(tmp_path, small, FIRST)
    assert not files(tmp_path)


def test_nothing_is_written_of_what_is_read_again_in_no_time(small: Path, tmp_path: Path) -> None:
    talk(tmp_path, small, Turn("user", "Hi."), chat=7)
    assert not files(tmp_path)


def test_another_chat_with_the_same_beginning_may_use_it_but_one_without_a_name_may_not(
    kept: tuple[Path, str, Stats], folder: Path, smollm2: Path
) -> None:
    _text, stats = go_on(folder, smollm2, kept)
    assert stats.reused_tokens == 0
    _text, stats = go_on(folder, smollm2, kept, chat=8)
    assert stats.reused_tokens > 0


@pytest.mark.parametrize("loaded", [True, False], ids=["loaded", "not loaded"])
def test_a_forgotten_chat_is_gone_from_disk_and_memory(
    loaded: bool, kept: tuple[Path, str, Stats], folder: Path, smollm2: Path
) -> None:
    steps = Steps(folder)
    try:
        if loaded:
            _text, stats = steps.answer(smollm2, FIRST, settings=GREEDY, chat=7)
            assert stats.prompt_tokens - stats.reused_tokens == 1
        steps.forget(8)
        assert files(folder)
        steps.forget(7)
        assert not files(folder)
        if loaded:
            _text, stats = steps.answer(smollm2, FIRST, settings=GREEDY, chat=9)
            assert stats.reused_tokens < 30  # the system prompt of the template at most
            steps.forget(9)
    finally:
        steps.close()
    assert not files(folder)


def test_a_chat_that_is_forgotten_while_it_is_answered_leaves_no_trace(small: Path, tmp_path: Path) -> None:
    steps = Steps(tmp_path)
    asked = steps.ask(small, FIRST, settings=GREEDY, chat=7)
    steps.step()
    steps.forget(7)
    steps.run(asked)
    assert asked.ended
    steps.close()
    assert not files(tmp_path)


def test_a_chat_that_is_forgotten_before_its_answer_begins_leaves_no_trace(
    small: Path, tmp_path: Path
) -> None:
    steps = Steps(tmp_path)
    first = steps.ask(small, Turn("user", "Hi."), settings=Settings(seed=1, max_tokens=3, context=512))
    asked = steps.ask(small, FIRST, settings=GREEDY, chat=7)
    steps.step()
    steps.forget(7)
    steps.run(first, asked)
    steps.close()
    assert not files(tmp_path)


def spoil(folder: Path, seed: int) -> str:
    """Change the files of the one snapshot in some way; return which."""
    chance = random.Random(seed)
    description, state = files(folder)
    data, said = bytearray(state.read_bytes()), json.loads(description.read_bytes())
    kinds = (
        "bit", "head", "tokens", "short", "long", "empty", "no state", "no description",
        "garbage", "list", "deep", "infinite", "lacking", "other type", "other number", "long number",
    )  # fmt: skip
    kind = kinds[seed % len(kinds)]
    name = chance.choice(list(said))
    match kind:
        case "bit":
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        case "head":
            data[chance.randrange(12)] ^= 1 << chance.randrange(8)
        case "tokens":
            data[12 + chance.randrange(400)] ^= 1 << chance.randrange(8)
        case "short":
            del data[chance.randrange(len(data)) :]
        case "long":
            data += bytes(chance.randrange(1, 999))
        case "empty":
            data.clear()
        case "no state":
            state.unlink()
        case "no description":
            description.unlink()
        case "garbage":
            description.write_bytes(chance.randbytes(300))
        case "list":
            description.write_text(json.dumps([said]))
        case "deep":
            description.write_text("[" * 100_000)
        case "infinite":
            description.write_text(json.dumps({**said, chance.choice(["chat", "checksum"]): float("inf")}))
        case "lacking":
            del said[chance.choice(["key", "chat", "size", "checksum"])]
        case "other type":
            said[name] = chance.choice([None, [], {}, "x", -1.5])
        case "other number":
            said[chance.choice(["checksum", "size"])] ^= 1 << chance.randrange(20)
        case "long number":
            text = json.dumps({**said, "checksum": 0})
            description.write_text(text.replace('"checksum": 0', '"checksum": 1' + "0" * 5000))
    if kind in ("bit", "head", "tokens", "short", "long", "empty"):
        state.write_bytes(data)
    if kind in ("lacking", "other type", "other number"):
        description.write_text(json.dumps(said))
    return kind


def test_a_damaged_snapshot_is_never_used_and_never_raises(
    kept: tuple[Path, str, Stats], smollm2: Path, tmp_path: Path
) -> None:
    """Every kind of damage meets a context that could use the snapshot."""
    steps = Steps()
    try:
        loaded = steps.load(smollm2, 512)
        prompt = loaded.model.prompt(loaded.model.template.render([FIRST, MORE]), lambda text: None)
        probe = Steps(kept[0]).load(smollm2, 512)
        usable = probe.cache._snapshots
        sound = usable.best(prompt, (), at_least=0, whole=False)
        assert sound
        assert usable.restore(sound, loaded.context, 1)
        loaded.context.forget(1)
        probe.close()
        for seed in range(48):
            folder = tmp_path / str(seed)
            shutil.copytree(kept[0], folder)
            kind = spoil(folder, seed)
            found = Snapshots(folder / SNAPSHOTS, "")
            found._key = usable._key  # as if it were those of this model
            best = found.best(prompt, (), at_least=0, whole=False)
            if best:
                assert not found.restore(best, loaded.context, 1), (seed, kind)
                assert not best.path.exists(), (seed, kind)
            assert found.best(prompt, (), at_least=0, whole=False) is None, (seed, kind)
            shutil.rmtree(folder)
    finally:
        steps.close()


def test_a_damaged_snapshot_can_be_forgotten(kept: tuple[Path, str, Stats], tmp_path: Path) -> None:
    for seed in range(7, 16):  # those that change more than the state
        folder = tmp_path / str(seed)
        shutil.copytree(kept[0], folder)
        kind = spoil(folder, seed)
        snapshots.forget(folder / SNAPSHOTS, 7)
        if kind in ("garbage", "list", "deep", "long number"):  # nobody knows whose it was
            assert not files(folder), kind
        snapshots.forget(folder / SNAPSHOTS)
        assert not files(folder), kind


@pytest.mark.parametrize("seed", [0, 3], ids=["bit", "short"])
def test_an_answer_is_read_again_when_its_snapshot_is_damaged(
    seed: int, kept: tuple[Path, str, Stats], cold: str, folder: Path, smollm2: Path
) -> None:
    spoil(folder, seed)
    text, stats = go_on(folder, smollm2, kept, chat=7)
    assert (text, stats.reused_tokens) == (cold, 0)
    assert len(files(folder)) == 2  # a sound one lies there now
    _text, stats = go_on(folder, smollm2, kept, chat=7)
    assert stats.prompt_tokens - stats.reused_tokens == 1


@pytest.mark.parametrize(
    "options",
    [LoadOptions(kv_type="q8_0"), LoadOptions(flash_attention=True), None],
    ids=["kv type", "flash attention", "adapter"],
)
def test_a_state_of_another_form_is_not_used(
    options: LoadOptions | None, kept: tuple[Path, str, Stats], folder: Path, smollm2: Path, tmp_path: Path
) -> None:
    if options is None:
        path = random_lora({"blk.3.attn_q.weight": (576, 576)}).write(tmp_path / "lora.gguf")
        fields = {"adapters": (Adapter(path),)}
    else:
        fields = {"options": options}
    settings = Settings(temperature=0, max_tokens=1, context=512)
    for reused in (False, True):  # its own it uses
        _text, stats = go_on(folder, smollm2, kept, chat=7, settings=settings, **fields)
        assert bool(stats.reused_tokens) == reused
    assert len(files(folder)) == 4
    _text, stats = go_on(folder, smollm2, kept, chat=7, settings=settings)
    assert stats.reused_tokens


def test_a_model_that_has_changed_on_disk_does_not_get_the_old_state(tmp_path: Path) -> None:
    model = write_small(tmp_path)
    settings = Settings(temperature=0, max_tokens=1, context=512)
    talk(tmp_path, model, FIRST, chat=7, settings=settings)
    _text, stats = talk(tmp_path, model, FIRST, chat=7, settings=settings)
    assert stats.reused_tokens
    os.utime(model, ns=(1, 1))
    _text, stats = talk(tmp_path, model, FIRST, chat=7, settings=settings)
    assert stats.reused_tokens == 0


def test_a_context_too_small_for_a_state_reads_the_text_itself(tmp_path: Path) -> None:
    small, beginning = write_small(tmp_path), "The heron waits for the fish. " * 4
    settings = Settings(temperature=0, max_tokens=5, context=512, logit_bias=NO_END)
    talk(tmp_path, small, Turn("user", beginning * 3), settings=settings, chat=7)
    assert snapshots.usage(tmp_path / SNAPSHOTS)[0] == 1
    question = Turn("user", beginning + "Why?")
    expected, _stats = talk(None, small, question, settings=settings)
    for context, read_again in ((256, True), (512, False)):
        settings = Settings(temperature=0, max_tokens=5, context=context, logit_bias=NO_END)
        text, stats = talk(tmp_path, small, question, settings=settings, chat=8)
        assert (text, stats.reused_tokens == 0) == (expected, read_again)
        snapshots.forget(tmp_path / SNAPSHOTS, 8)
    assert snapshots.usage(tmp_path / SNAPSHOTS)[0] == 1  # it is whole, and waits for more room


class Written:
    """Snapshots of one context, whose sequence 0 holds 256 tokens."""

    def __init__(self, smollm2: Path) -> None:
        self.steps = Steps()
        loaded = self.steps.load(smollm2, 512)
        from app.engine.context import Part

        self.context = loaded.context
        self.tokens = list(range(1000, 1256))
        self.context.decode([Part(0, 0, self.tokens, 0)])
        self.size = self.context.state_size(0)

    def save(self, into: Snapshots, chat: int) -> None:
        into.save(self.context, 0, self.tokens, (), chat)


@pytest.fixture(scope="module")
def written(smollm2: Path) -> Iterator[Written]:
    written = Written(smollm2)
    yield written
    written.steps.close()


def test_the_least_recently_used_go_when_the_budget_is_spent(written: Written, tmp_path: Path) -> None:
    snapshots.set_budget(tmp_path, 3 * written.size + 10_000)
    kept = Snapshots(tmp_path, "key")
    for chat in range(1, 4):
        written.save(kept, chat)
        newest = max(tmp_path.glob("*.state"), key=lambda path: path.stat().st_mtime_ns)
        os.utime(newest, (chat, chat))

    def chats() -> set[int]:
        return {json.loads(path.read_bytes())["chat"] for path in tmp_path.glob("*.json")}

    assert chats() == {1, 2, 3}
    used = next(each for each in kept._known if each.chat == 1)
    assert kept.restore(used, written.context, 2)
    written.context.forget(2)
    written.save(kept, 4)
    assert chats() == {1, 3, 4}
    assert {each.chat for each in kept._known} == {1, 3, 4}
    count, size = snapshots.usage(tmp_path)
    assert count == 3
    assert size <= 3 * written.size + 10_000
    snapshots.set_budget(tmp_path, written.size // 2)
    assert chats() == set()
    written.save(kept, 5)  # would not fit at all
    assert chats() == set()
    (tmp_path / "budget").write_text("{}")
    assert snapshots.budget(tmp_path) == snapshots.USUAL_BUDGET


def test_forgetting_one_chat_leaves_the_others_and_forgetting_all_leaves_nothing(
    written: Written, tmp_path: Path
) -> None:
    kept = Snapshots(tmp_path, "key")
    for chat in (1, 2):
        written.save(kept, chat)
    written.save(Snapshots(tmp_path, "another model"), 1)
    assert snapshots.usage(tmp_path)[0] == 3
    snapshots.forget(tmp_path, 1)
    assert [json.loads(path.read_bytes())["chat"] for path in tmp_path.glob("*.json")] == [2]
    (tmp_path / "x.part").write_bytes(b"half")
    (tmp_path / "x.tmp").write_bytes(b"half")
    snapshots.forget(tmp_path)
    assert not list(tmp_path.iterdir())
    assert snapshots.usage(tmp_path / "nowhere") == (0, 0)
    snapshots.forget(tmp_path / "nowhere")


def test_what_an_old_run_left_half_written_is_deleted_and_what_is_being_written_is_not(
    tmp_path: Path,
) -> None:
    names = ("a.part", "b.tmp", "c.state")
    for age in ("old", "new"):
        for name in names:
            path = tmp_path / f"{age}-{name}"
            path.write_bytes(b"half")
            if age == "old":
                os.utime(path, (time.time() - 3600,) * 2)
    Snapshots(tmp_path, "key")
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"new-{name}" for name in names]


def test_a_folder_that_cannot_be_made_costs_only_a_line_in_the_log(
    small: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / SNAPSHOTS).write_text("a file is where the folder should be")
    text, _stats = talk(tmp_path, small, FIRST, chat=7)
    assert text
    assert "No snapshot could be written" in caplog.text
    assert "Traceback" not in caplog.text


@pytest.mark.skipif(sys.platform == "win32", reason="no limit to the size of files there")
def test_a_disk_that_gets_full_leaves_no_half_file(
    written: Written, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kept = Snapshots(tmp_path, "key")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (written.size // 2, limits[1]))
    try:
        with caplog.at_level(logging.WARNING):
            written.save(kept, 1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not list(tmp_path.iterdir())
    written.save(kept, 1)
    assert snapshots.usage(tmp_path)[0] == 1
