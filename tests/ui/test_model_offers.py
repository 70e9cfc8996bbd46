"""From the picker: a recommended model downloaded and used, and one of another app used where it lies."""

import shutil

import pytest
from loopback_hub import LoopbackHub
from PySide6.QtCore import QPoint

from app.services.hubs import HubSettings
from app.ui.model_rows import ModelRole


@pytest.fixture
def hub(monkeypatch):
    monkeypatch.setattr("models_registry.transfer.KEPT_FREE", 0)
    with LoopbackHub() as made:
        yield made


@pytest.fixture
def picker(fireside, hub, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LLAMA_CACHE", str(tmp_path / "llama.cpp"))
    for variable in ("HF_HOME", "HF_HUB_CACHE", "OLLAMA_MODELS", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(variable, raising=False)
    fireside.hubs.set_settings(HubSettings(endpoint=hub.endpoint))
    fireside.downloads.begin()
    return fireside.window._desk.picker


def texts(picker) -> list[str]:
    rows = picker.rows
    return [
        rows.index(row).data(ModelRole.ROW).spoken for row in range(rows.rowCount()) if row_at(picker, row)
    ]


def row_at(picker, number: int):
    return picker.rows.index(number).data(ModelRole.ROW)


def find(picker, words: str):
    """Return the index of the row that says `words`; None where none does."""
    for number in range(picker.rows.rowCount()):
        row = row_at(picker, number)
        if row and words in row.spoken:
            return picker.rows.index(number)
    return None


def pick(picker, words: str) -> None:
    picker._list.clicked.emit(find(picker, words))


def test_a_recommended_model_arrives_and_is_used(fireside, picker, hub, second_model, qtbot):
    fireside.window._desk.open_picker(QPoint(280, 52))
    qtbot.waitUntil(lambda: find(picker, "First choice") is not None)
    first = find(picker, "First choice").data(ModelRole.SUBJECT)
    hub.add(first.repository, {f"{first.repository.split('/')[1]}-{first.quantization}.gguf": second_model})
    pick(picker, "First choice")
    assert find(picker, "Asking the hub") is not None
    qtbot.waitUntil(lambda: find(picker, "Ready") is not None, timeout=15_000)
    assert picker.isVisible()
    pick(picker, "Ready")
    assert not picker.isVisible()
    qtbot.waitUntil(lambda: first.repository.split("/")[0] in fireside.chat.model.path.parts)


def test_a_hub_that_is_not_there_is_told_in_its_row(fireside, picker, hub, qtbot):
    hub.go_dark()
    fireside.window._desk.open_picker(QPoint(280, 52))
    qtbot.waitUntil(lambda: find(picker, "First choice") is not None)
    pick(picker, "First choice")
    qtbot.waitUntil(lambda: find(picker, "Try again") is not None, timeout=15_000)
    assert "cannot be reached" in find(picker, "Try again").data(ModelRole.ROW).spoken


def test_a_model_of_another_app_is_used_where_it_lies(fireside, picker, second_model, tmp_path, qtbot):
    folder = tmp_path / "llama.cpp"
    folder.mkdir()
    shutil.move(second_model, folder / "other-Q4_1.gguf")
    fireside.window._desk.open_picker(QPoint(280, 52))
    qtbot.waitUntil(lambda: find(picker, "Look for models of llama.cpp") is not None)
    assert find(picker, "Look for models of Ollama") is None
    assert find(picker, "used in place") is None
    pick(picker, "Look for models of llama.cpp")
    qtbot.waitUntil(lambda: find(picker, "in llama.cpp, used in place") is not None)
    assert find(picker, "Look for models of llama.cpp") is None
    pick(picker, "in llama.cpp, used in place")
    qtbot.waitUntil(lambda: fireside.chat.model.path == folder / "other-Q4_1.gguf")
    assert not picker.isVisible()
    fireside.window._desk.open_picker(QPoint(280, 52))
    assert find(picker, "in llama.cpp, used in place") is not None  # now among those on this computer
    assert len([text for text in texts(picker) if "llama.cpp" in text]) == 1


def test_a_search_goes_over_all_sections(fireside, picker, qtbot):
    fireside.window._desk.open_picker(QPoint(280, 52))
    qtbot.waitUntil(lambda: find(picker, "First choice") is not None)
    few = picker.rows.rowCount()
    picker._search.setText("qwen")
    assert len(texts(picker)) > 1
    assert all("qwen" in text.casefold() for text in texts(picker))
    picker._search.clear()
    assert picker.rows.rowCount() == few
