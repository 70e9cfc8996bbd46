"""The picker: sections, search, keyboard, and models that cannot be used."""

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton, QWidget

from app.domain.model import EngineStatus, Model, Origin
from app.ui.model_picker import ModelPicker
from app.ui.model_rows import describe
from app.ui.quantities import context_text, count_text, size_text

STARTER = Model(Path("/m/smol.gguf"), "SmolLM2 135M", Origin.STARTER, 98_000_000, "Q4_1", context=8192)
LLAMA = Model(Path("/m/llama.gguf"), "Llama 3.1 8B", Origin.OWN, 4_600_000_000, "Q4_K_M", context=131_072)
QWEN = Model(Path("/home/Downloads/qwen.gguf"), "Qwen3 14B", Origin.LINKED, 9_000_000_000, context=40_960)
BROKEN = Model(Path("/m/odd.gguf"), "odd", Origin.OWN, 0, problem="The file ends too early.")
MODELS = [STARTER, BROKEN, LLAMA, QWEN]


@pytest.fixture
def window(qtbot):
    made = QWidget()
    qtbot.addWidget(made)
    made.resize(900, 700)
    with qtbot.waitExposed(made):
        made.show()
    made.activateWindow()
    return made


@pytest.fixture
def offers(start):
    return start().window._desk.offers


@pytest.fixture
def picker(appearance, offers, window):
    made = ModelPicker(appearance, offers, window)
    made.show_models(MODELS, EngineStatus(LLAMA.path, context=16_384), LLAMA.path)
    made.open_below(QPoint(16, 52))
    return made


def rows(picker) -> list[str]:
    return [picker.rows.index(row).data() for row in range(picker.rows.rowCount())]


def press(qtbot, *keys) -> None:
    for key in keys:
        qtbot.keyClick(QApplication.focusWidget(), key)


def test_sections(picker):
    assert rows(picker) == ["Loaded", "Llama 3.1 8B", "On this computer", "SmolLM2 135M", "odd", "Qwen3 14B"]


def test_a_model_that_is_being_loaded_is_not_loaded(picker):
    picker.show_models(MODELS, EngineStatus(LLAMA.path, loading=0.5), LLAMA.path)
    assert rows(picker)[0] == "On this computer"


def test_second_lines():
    assert describe(STARTER) == "98 MB · 8k context · came with Fireside"
    assert describe(LLAMA) == "4.6 GB · 128k context"
    assert describe(QWEN) == "9.0 GB · 40k context · in Downloads, used in place"
    assert describe(BROKEN) == "The file ends too early."


def test_quantities():
    assert [context_text(tokens) for tokens in (512, 8192, 131_072)] == ["512", "8k", "128k"]
    assert [count_text(tokens) for tokens in (664, 4198, 16_384)] == ["664", "4.1k", "16k"]
    assert size_text(2_490_000_000) == "2.5 GB"


def test_down_and_return_choose(picker, qtbot):
    with qtbot.waitSignal(picker.chosen) as chosen:
        press(qtbot, Qt.Key.Key_Down, Qt.Key.Key_Return)
    assert chosen.args == [STARTER]
    assert not picker.isVisible()


def test_return_at_once_chooses_what_is_chosen(picker, qtbot):
    with qtbot.waitSignal(picker.chosen) as chosen:
        press(qtbot, Qt.Key.Key_Return)
    assert chosen.args == [LLAMA]


def test_up_from_the_first_stays(picker, qtbot):
    with qtbot.waitSignal(picker.chosen) as chosen:
        press(qtbot, Qt.Key.Key_Up, Qt.Key.Key_Up, Qt.Key.Key_Return)
    assert chosen.args == [LLAMA]


def test_searching_then_return(picker, qtbot):
    qtbot.keyClicks(QApplication.focusWidget(), "qwen")
    assert rows(picker) == ["On this computer", "Qwen3 14B"]
    with qtbot.waitSignal(picker.chosen) as chosen:
        press(qtbot, Qt.Key.Key_Return)
    assert chosen.args == [QWEN]


def test_a_search_without_a_hit(picker, qtbot):
    qtbot.keyClicks(QApplication.focusWidget(), "zzz")
    assert rows(picker) == []
    with qtbot.assertNotEmitted(picker.chosen):
        press(qtbot, Qt.Key.Key_Return)
    assert picker.isVisible()


def test_down_below_the_last_reaches_the_hub_and_the_file(picker, qtbot):
    press(qtbot, *[Qt.Key.Key_Down] * 4)
    assert isinstance(QApplication.focusWidget(), QPushButton)
    press(qtbot, Qt.Key.Key_Up)
    assert isinstance(QApplication.focusWidget(), QLineEdit)
    press(qtbot, *[Qt.Key.Key_Down] * 2)
    with qtbot.waitSignal(picker.add_requested):
        press(qtbot, Qt.Key.Key_Return)


def test_both_that_are_in_memory_stand_on_top_and_can_be_unloaded(picker, qtbot):
    picker.show_models(MODELS, EngineStatus(QWEN.path, kept=(EngineStatus(LLAMA.path),)), QWEN.path)
    assert rows(picker)[:3] == ["Loaded", "Qwen3 14B", "Llama 3.1 8B"]
    assert picker._unload.text() == "Unload both models"
    press(qtbot, *[Qt.Key.Key_Down] * 9)
    with qtbot.waitSignal(picker.unload_requested):
        press(qtbot, Qt.Key.Key_Return)
    assert not picker.isVisible()


def test_there_is_nothing_to_unload_when_nothing_is_loaded(picker):
    assert picker._unload.text() == "Unload Llama 3.1 8B"
    height = picker.card.height()
    picker.show_models(MODELS, EngineStatus(LLAMA.path, loading=0.5), LLAMA.path)
    assert not picker._unload.isVisible()
    picker.show_models(MODELS, EngineStatus(LLAMA.path, context=16_384), LLAMA.path)
    assert picker._unload.isVisible()
    assert picker.card.height() == height


def test_escape_closes_and_gives_the_keyboard_back(appearance, offers, window, qtbot):
    field = QLineEdit(window)
    field.show()
    field.setFocus()
    picker = ModelPicker(appearance, offers, window)
    picker.open_below(QPoint(16, 52))
    with qtbot.waitSignal(picker.closed):
        press(qtbot, Qt.Key.Key_Escape)
    assert not picker.isVisible()
    assert QApplication.focusWidget() is field


def test_a_click_beside_it_closes(picker, qtbot):
    qtbot.mouseClick(picker, Qt.MouseButton.LeftButton, pos=QPoint(880, 680))
    assert not picker.isVisible()


def test_news_while_it_is_open_keep_the_row(picker, qtbot):
    press(qtbot, Qt.Key.Key_Down)
    picker.show_models([LLAMA, STARTER], EngineStatus(LLAMA.path), LLAMA.path)
    with qtbot.waitSignal(picker.chosen) as chosen:
        press(qtbot, Qt.Key.Key_Return)
    assert chosen.args == [STARTER]


@pytest.mark.parametrize("size", [(640, 480), (1180, 780)])
def test_never_leaves_the_window(appearance, offers, window, qtbot, size):
    window.resize(*size)
    picker = ModelPicker(appearance, offers, window)
    picker.show_models(MODELS * 10, EngineStatus(), None)
    picker.open_below(QPoint(500, 52))
    assert window.rect().contains(picker.card.geometry())
    window.resize(640, 480)
    qtbot.wait(5)
    assert window.rect().contains(picker.card.geometry())


def test_enter_on_the_way_to_the_hub(picker, qtbot):
    press(qtbot, *[Qt.Key.Key_Down] * 4)
    with qtbot.waitSignal(picker.find_requested):
        press(qtbot, Qt.Key.Key_Return)
    assert not picker.isVisible()
