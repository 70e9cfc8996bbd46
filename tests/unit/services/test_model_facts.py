"""What is known of the models here, and whether their bytes are still right: real files, real database."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from scripted_engine import ScriptedEngine
from tiny_models import tiny

from app.cli.loop import Loop
from app.domain.changes import Changes
from app.domain.chat import ModelIdentity, Status
from app.domain.download import Download, RemotePart
from app.domain.errors import UserError
from app.domain.generation import Stats, StopReason
from app.domain.model import Model
from app.domain.settings import Settings
from app.services.model_facts import ModelFacts, beside, fit_of
from app.services.models import Models
from app.services.verification import Outcome, Verdict
from app.storage.chats import ChatStore
from app.storage.database import Database
from app.storage.uses import UseStore
from models_registry.gguf import read_header
from models_registry.library import Library, digest_of
from models_registry.memory import Sizes
from models_registry.recommendation import GIB, Computer

STATS = Stats(StopReason.END, 200, 0, 101, 0.5, 2.0, 0.6, 7, 4096)


class Home:
    """Models, chats and what is learned of them, in one folder."""

    def __init__(self, folder: Path) -> None:
        self.loop = Loop()
        self.folder = folder
        changes = Changes(self.loop.post)
        self.database = Database(folder / "chats.db")
        self.store = ChatStore(self.database, changes)
        self.models = Models(
            Library(folder / "models"), ScriptedEngine(changes), changes, self.store.fill_sha256
        )
        self.facts = ModelFacts(self.models, UseStore(self.database))

    def refresh(self) -> list[Model]:
        return self.loop.result(self.models.refresh())

    def named(self, name: str) -> Model:
        return next(model for model in self.refresh() if model.path.name == name)

    def check(self, model: Model) -> Verdict:
        return self.loop.result(self.loop.result(self.models.verify(model)).verdict)

    def close(self) -> None:
        self.models.close()
        self.database.close()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path)
    yield made
    made.close()


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "models" / "maker" / "name-GGUF" / "tiny-F32.gguf"
    path.parent.mkdir(parents=True)
    tiny().write(path)
    return path


def download_of(*paths: Path) -> Download:
    parts = tuple(
        RemotePart(path.name, path.stat().st_size, digest_of(path, lambda: False, alone=True) or "")
        for path in paths
    )
    return Download(1, "Tiny", "", "maker/name-GGUF", "c" * 40, "F32", parts)


def spoil(path: Path) -> None:
    """Turn one bit of a weight."""
    with path.open("r+b") as file:
        file.seek(-1, 2)
        last = file.read(1)
        file.seek(-1, 2)
        file.write(bytes([last[0] ^ 1]))


def test_what_answers_have_told_and_how_it_fits(home: Home, own: Path):
    model = home.named(own.name)
    assert home.facts.of(model).fit == ""
    assert home.loop.result(home.facts.look())[model.path].use is None
    sha256 = home.loop.result(home.models.identified(model)).sha256
    identity = ModelIdentity("T", sha256, str(own))
    started = home.store.start_turn(None, None, "hi", identity, Settings()).result(10)
    home.store.finish(started.reply.id, "x", Status.COMPLETE, STATS, "").result(10)
    facts = home.loop.result(home.facts.look())[model.path]
    assert (facts.fit, facts.context, facts.app) == ("fits", 0, "")
    assert facts.use is not None
    assert (facts.use.writing, facts.use.reading) == (pytest.approx(50), pytest.approx(400))
    moved = own.with_name("moved-F32.gguf")
    own.rename(moved)
    home.loop.result(home.models.identified(home.named(moved.name)))
    known = home.loop.result(home.facts.look())[moved].use
    assert known is not None
    assert known.writing == pytest.approx(50)


def test_a_model_of_another_app_is_told_as_one(home: Home, tmp_path: Path, monkeypatch):
    blobs = tmp_path / "ollama"
    (blobs / "blobs").mkdir(parents=True)
    monkeypatch.setenv("OLLAMA_MODELS", str(blobs))
    path = blobs / "blobs" / "sha256-1"
    tiny().write(path)
    model = home.loop.result(home.models.add(path, "Tiny of another"))
    assert home.loop.result(home.facts.look())[model.path].app == "Ollama"


def test_the_fit_is_told_with_a_context_that_would_help(smollm2: Path):
    header = replace(read_header(smollm2), file_size=1_250_000_000)
    sizes = Sizes(header)
    usual, shortest = (
        header.file_size + beside(header, sizes, context, gpu=False) for context in (8192, 4096)
    )

    def fit_with(room: float) -> tuple[str, int]:
        total = int(room) + 2 * GIB  # which the system has
        return fit_of(header, sizes, Computer(total, total, None, False, 4))

    assert fit_with(2 * usual) == ("fits", 0)
    assert fit_with(1.08 * (usual + shortest) / 2) == ("tight", 4096)
    assert fit_with(1.05 * shortest) == ("tight", 0)
    assert fit_with(usual / 2) == ("too_large", 0)


def test_a_downloaded_file_is_compared_with_what_was_published(home: Home, own: Path):
    home.models.arrived(download_of(own), [own])
    model = home.named(own.name)
    assert (model.repository, model.commit) == ("maker/name-GGUF", "c" * 40)
    verdict = home.check(model)
    assert (verdict.outcome, verdict.right) == (Outcome.PUBLISHED, True)
    assert str(verdict.sentence).endswith("is exactly what maker/name-GGUF published.")
    spoil(own)
    verdict = home.check(home.named(own.name))
    assert (verdict.outcome, verdict.right, verdict.expected) == (Outcome.DAMAGED, False, model.sha256)
    assert home.named(own.name).changed
    assert home.check(home.named(own.name)).outcome is Outcome.DAMAGED  # until it is fetched anew


def test_the_parts_of_a_model_are_compared_one_by_one(home: Home, tmp_path: Path):
    folder = tmp_path / "models" / "maker" / "name-GGUF"
    folder.mkdir(parents=True)
    paths = [folder / f"tiny-{number:05d}-of-00002.gguf" for number in (1, 2)]
    write_two(paths)
    home.models.arrived(download_of(*paths), paths)
    model = home.named(paths[0].name)
    assert not model.problem
    assert home.check(model).outcome is Outcome.PUBLISHED
    spoil(paths[1])
    assert home.check(model).outcome is Outcome.DAMAGED


def write_two(paths: list[Path]) -> None:
    from gguf_writer import write_shards

    for path in write_shards(paths[0].parent, "tiny", total=2, tensor_count=2):
        assert path in paths


def test_another_file_is_compared_with_what_it_was(home: Home, tmp_path: Path):
    path = tmp_path / "elsewhere.gguf"
    tiny().write(path)
    home.models._library.link(path)
    model = home.named(path.name)
    first = home.check(replace(model, sha256=""))
    assert first.outcome in (Outcome.FIRST, Outcome.UNCHANGED)  # the background may have been quicker
    assert home.check(home.named(path.name)).outcome is Outcome.UNCHANGED
    spoil(path)
    assert home.check(home.named(path.name)).outcome is Outcome.CHANGED
    assert not home.named(path.name).changed  # it was told, and holds from now on
    assert home.check(home.named(path.name)).outcome is Outcome.UNCHANGED


def test_a_check_tells_how_far_it_is_and_can_be_stopped(home: Home, tmp_path: Path):
    path = tmp_path / "models" / "large.gguf"
    path.parent.mkdir()
    tiny().write(path)
    with path.open("r+b") as file:
        file.truncate(3 << 30)  # a hole
    model = home.named(path.name)
    check = home.loop.result(home.models.verify(model))
    while check.done < 8 << 20:
        home.loop.tick()
    home.refresh()  # nothing waits for it
    assert not check.verdict.done()
    check.stop()
    verdict = home.loop.result(check.verdict)
    assert verdict.outcome is Outcome.STOPPED
    assert 0 < check.done < check.total == 3 << 30


def test_a_file_that_is_gone_cannot_be_checked(home: Home, own: Path):
    model = home.named(own.name)
    own.unlink()
    with pytest.raises(UserError, match="cannot be found"):
        home.check(model)


def test_a_name_goes_with_the_file_and_comes_back(home: Home, own: Path):
    model = home.named(own.name)
    home.loop.result(home.models.rename(model, "Mine"))
    renamed = home.named(own.name)
    assert (renamed.name, renamed.original_name) == ("Mine", model.name)
    home.loop.result(home.models.rename(renamed, model.name))
    index = json.loads((home.folder / "models" / "library.json").read_text())
    assert index["titles"] == {}
    assert home.named(own.name).name == model.name


def test_what_is_removed_is_forgotten(home: Home, own: Path, monkeypatch, tmp_path: Path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    copy = shutil.copy(own, tmp_path / "elsewhere.gguf")
    model = home.named(own.name)
    home.loop.result(home.models.rename(model, "Mine"))
    home.loop.result(home.models.remove(model))
    assert not own.exists()
    shutil.copy(copy, own)
    assert home.named(own.name).name == model.name
