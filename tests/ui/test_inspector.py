"""The inspector in the whole window: what is set there reaches the engine, or is refused in words."""

from dataclasses import replace
from time import perf_counter

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QScrollArea,
    QSlider,
)

from app.domain.choices import Choices
from app.domain.loading import Adapter, LoadOptions
from app.domain.model import EngineStatus, Thinking
from app.domain.settings import SAMPLERS, Settings
from app.services.outlook import Nearest
from app.ui.inspector.answer_facts import AnswerFacts
from app.ui.inspector.context_size import ContextSize
from app.ui.inspector.form import bias_text, read_bias
from app.ui.inspector.memory import MemoryOfModel
from app.ui.inspector.sampling import Sampling
from app.ui.inspector.system_prompt import SystemPrompt
from app.ui.inspector.thinking import ThinkingFirst

CTRL = Qt.KeyboardModifier.ControlModifier


def done(fireside) -> None:
    fireside.qtbot.waitUntil(lambda: not fireside.conversation.live)
    fireside.settle()


def opened(fireside):
    """Open the inspector with the keyboard, and wait until all of it is there."""
    inspector = fireside.window.inspector
    if not inspector.isVisible():
        fireside.qtbot.keyClick(fireside.window, Qt.Key.Key_I, CTRL)
    complete(fireside)
    return inspector


def complete(fireside) -> None:
    inspector = fireside.window.inspector
    desk = inspector.desk
    fireside.qtbot.waitUntil(lambda: inspector.complete and bool(desk.outlook and desk.usage))
    QApplication.processEvents()
    fireside.qtbot.waitUntil(lambda: inspector.complete)


def section(fireside, kind):
    return next(each for each in fireside.window.inspector.sections if isinstance(each, kind))


def unfold(fireside, fold):
    fold.button.click()
    fireside.qtbot.waitUntil(lambda: fold.open)
    complete(fireside)


def write(fireside, line: QLineEdit, text: str) -> None:
    line.setFocus()
    line.selectAll()
    fireside.qtbot.keyClicks(line, text)
    if not text:
        fireside.qtbot.keyClick(line, Qt.Key.Key_Delete)
    fireside.qtbot.keyClick(line, Qt.Key.Key_Return)
    complete(fireside)


def write_text(fireside, text: QPlainTextEdit, words: str) -> None:
    text.setFocus()
    text.selectAll()
    fireside.qtbot.keyClicks(text, words)
    fireside.window.inspector.finish_edits()
    fireside.inspection.saved_reading().result(10)  # what was asked before it is answered
    fireside.settle()
    complete(fireside)


def press(fireside, button: QAbstractButton) -> None:
    fireside.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    complete(fireside)


def chosen(fireside) -> Choices:
    return fireside.choices.of(fireside.chat.model)


# ---- the frame


def test_it_is_away_at_first_and_is_brought_by_key_and_button(fireside):
    inspector = fireside.window.inspector
    assert not inspector.isVisible()
    assert inspector.sections == []
    fireside.window.resize(1180, 780)
    fireside.qtbot.keyClick(fireside.window, Qt.Key.Key_I, CTRL)
    complete(fireside)
    assert inspector.isVisible()
    edge = fireside.window.centralWidget().rect().right()
    fireside.qtbot.waitUntil(lambda: inspector.geometry().right() == edge)
    assert fireside.page.geometry().right() < inspector.geometry().left()
    titles = [button.text() for button in inspector.findChildren(QAbstractButton) if button.text()]
    assert {"Model and memory", "How much should it read at once?", "How it writes", "System prompt"} <= set(
        titles
    )
    press(fireside, fireside.page.bar._inspector)
    fireside.qtbot.waitUntil(lambda: not inspector.isVisible())


def test_it_is_open_at_the_next_start_if_it_was(start):
    first = start().show()
    first.window.resize(1180, 780)
    opened(first)
    first.close()
    second = start().show()
    second.window.resize(1180, 780)  # the offscreen platform has a small screen, on which it would lie over
    complete(second)
    assert second.window.inspector.isVisible()


def test_a_narrow_window_has_it_over_the_page(fireside):
    fireside.window.resize(640, 480)
    page = fireside.page.geometry()
    inspector = opened(fireside)
    fireside.qtbot.waitUntil(lambda: inspector.geometry().left() == 320)
    assert fireside.page.geometry() == page
    fireside.qtbot.keyClick(fireside.window, Qt.Key.Key_Escape)
    fireside.qtbot.waitUntil(lambda: not inspector.isVisible())
    opened(fireside)
    fireside.qtbot.keyClick(fireside.window, Qt.Key.Key_Backslash, CTRL)
    fireside.qtbot.waitUntil(lambda: not inspector.isVisible() and fireside.window.sidebar.isVisible())


def test_it_grows_with_the_text(fireside):
    fireside.window.resize(1180, 780)
    inspector = opened(fireside)
    assert inspector.width() == 320
    fireside.window.appearance.set_zoom(1.5)
    fireside.qtbot.waitUntil(lambda: not inspector.isVisible())  # there is no room beside the page any more
    opened(fireside)
    assert inspector.width() == 480
    fireside.qtbot.waitUntil(lambda: inspector.geometry().right() == 1179)
    area = inspector.findChild(QScrollArea)
    assert area.widget().width() <= area.viewport().width()


def test_it_ends_where_its_text_ends(fireside):
    inspector = opened(fireside)
    sampling = section(fireside, Sampling)
    unfold(fireside, sampling.advanced)
    last = max(each.geometry().bottom() for each in inspector.sections if each.isVisible())
    content = inspector.findChild(QScrollArea).widget()
    assert 0 <= content.height() - last < 40


def test_every_control_has_a_name_and_can_be_reached_by_keyboard(fireside):
    inspector = opened(fireside)
    memory, sampling = section(fireside, MemoryOfModel), section(fireside, Sampling)
    for fold in (memory.advanced, memory.overlays, sampling.advanced, sampling.shape):
        unfold(fireside, fold)
    kinds = (QAbstractButton, QLineEdit, QPlainTextEdit, QSlider)
    controls = [control for kind in kinds for control in inspector.findChildren(kind)]
    assert len(controls) > 60
    for control in controls:
        assert control.accessibleName() or control.text(), control
        assert control.focusPolicy() & Qt.FocusPolicy.TabFocus


# ---- how it writes


def test_what_is_set_reaches_the_engine_and_the_next_start(start):
    first = start().show()
    opened(first)
    sampling = section(first, Sampling)
    sampling.creativity.slider.setValue(0)
    press(first, sampling.sureness.switch)
    write(first, sampling.length.line, "50")
    first.say("Hello")
    done(first)
    expected = Settings(temperature=0, probabilities=5, max_tokens=50)
    assert first.engine.plays[-1].request.settings == expected
    first.close()
    second = start().show()
    opened(second)
    sampling = section(second, Sampling)
    assert sampling.creativity.slider.value() == 0
    assert sampling.sureness.switch.isChecked()
    assert sampling.length.line.text() == "50"
    second.page.regenerate_last()
    second.qtbot.waitUntil(lambda: bool(second.engine.plays))
    assert second.engine.plays[-1].request.settings == expected
    done(second)


def test_every_sampler_can_be_set_and_set_back(fireside):
    opened(fireside)
    sampling = section(fireside, Sampling)
    unfold(fireside, sampling.advanced)
    assert set(sampling.samplers) == set(SAMPLERS)
    assert sampling.samplers["top_p"].line.placeholderText() == "0.95"
    assert sampling.order.text() == "Order: top-k → top-p → min-p → temperature → draw"
    write(fireside, sampling.samplers["top_k"].line, "0")
    write(fireside, sampling.samplers["repeat_penalty"].line, "1.1")
    assert sampling.order.text() == "Order: penalties → top-p → min-p → temperature → draw"
    assert chosen(fireside).settings == Settings(top_k=0, repeat_penalty=1.1)
    fireside.qtbot.keyClick(sampling.samplers["top_k"].line, Qt.Key.Key_Up)
    assert chosen(fireside).settings.top_k == 1
    press(fireside, sampling.samplers["top_k"]._reset)
    assert chosen(fireside).settings == Settings(repeat_penalty=1.1)
    sampling.reset()
    complete(fireside)
    assert chosen(fireside) == Choices()
    assert sampling.samplers["repeat_penalty"].line.text() == ""


def test_what_cannot_be_says_so_at_the_field_and_is_not_kept(fireside):
    opened(fireside)
    sampling = section(fireside, Sampling)
    unfold(fireside, sampling.advanced)
    refused = (
        ("top_p", "1.5", "top-p must be between 0 and 1; 1.5 is not."),
        ("top_k", "2.5", "top-k must be a whole number"),
        ("min_p", "much", "“much” is not a number."),
        ("repeat_last_n", "inf", "“inf” is not a number."),
    )
    for name, text, words in refused:
        field = sampling.samplers[name]
        write(fireside, field.line, text)
        assert words in field.problem
        assert field.line.text() == text
        assert getattr(chosen(fireside).settings, name) is None
        write(fireside, field.line, "0")
        assert field.problem == ""
        assert getattr(chosen(fireside).settings, name) == 0


def test_what_contradicts_something_else_says_so(fireside):
    opened(fireside)
    sampling = section(fireside, Sampling)
    unfold(fireside, sampling.advanced)
    write(fireside, sampling.samplers["mirostat"].line, "2")
    write(fireside, sampling.samplers["adaptive_target"].line, "0.5")
    assert "cannot be used together" in sampling.samplers["adaptive_target"].problem
    sampling.creativity.slider.setValue(0)
    assert "mirostat cannot work" in sampling.creativity.problem
    assert chosen(fireside).settings == Settings(mirostat=2)


def test_a_grammar_with_a_mistake_says_where_and_a_good_one_is_kept(fireside):
    opened(fireside)
    sampling = section(fireside, Sampling)
    unfold(fireside, sampling.shape)
    form = sampling.form
    write_text(fireside, form.grammar.text, "root ::= (")
    fireside.qtbot.waitUntil(lambda: "line 1, column" in form.grammar.problem)
    fireside.window.inspector.desk.refresh()
    complete(fireside)
    assert form.grammar.text.toPlainText() == "root ::= ("
    assert "line 1, column" in form.grammar.problem
    assert chosen(fireside) == Choices()
    write_text(fireside, form.grammar.text, 'root ::= "yes"')
    fireside.qtbot.waitUntil(lambda: chosen(fireside).settings.grammar == 'root ::= "yes"')
    assert form.grammar.problem == ""
    write_text(fireside, form.schema.text, "true")
    fireside.qtbot.waitUntil(lambda: "not both" in form.schema.problem)
    write_text(fireside, form.bias.text, "fox=-5")
    assert chosen(fireside).settings.logit_bias == (("fox", -5.0),)
    write_text(fireside, form.bias.text, "fox")
    assert "not a bias" in form.bias.problem


@pytest.mark.parametrize(
    "pair", [("fox", -5.0), (7, 2.5), ("7", 1.0), ('say "a"', 1.0), ("a=b", 0.5), ("\n", 1.0)]
)
def test_a_bias_is_read_as_it_is_shown(pair):
    assert read_bias(bias_text(*pair)) == pair


def test_thinking_can_be_switched_where_the_template_knows_it(fireside):
    opened(fireside)
    switch = section(fireside, ThinkingFirst)
    assert not switch.isVisible()
    model = fireside.chat.model
    knows = Thinking("enable_thinking", True, False, usual=True)
    fireside.engine.status = EngineStatus(model=model.path, context=8192, thinking=knows)
    fireside.window.inspector.desk.refresh()
    complete(fireside)
    assert switch.isVisible()
    assert switch.field.switch.isChecked()
    press(fireside, switch.field.switch)
    assert chosen(fireside).settings.template_variables == {"enable_thinking": False}
    press(fireside, switch.field.switch)
    assert chosen(fireside) == Choices()


# ---- model, memory, context


def test_the_memory_of_the_model_is_told(fireside):
    opened(fireside)
    memory = section(fireside, MemoryOfModel)
    words = {label.text() for label in memory.findChildren(QLabel)}
    assert fireside.chat.model.name in words
    planner = section(fireside, ContextSize)
    assert planner.use.verdict.text() == "Fits well"
    assert (planner.tokens.text(), planner.quality.text()) == ("8k tokens", "as trained")
    assert not planner.question.isVisible()


def slide(fireside, size):
    """Bring the thumb to a size with the keyboard."""
    planner = section(fireside, ContextSize)
    planner.steps.slider.setFocus()
    while planner.steps.size_shown != size:
        up = planner.steps.size_shown < size
        fireside.qtbot.keyClick(planner.steps.slider, Qt.Key.Key_Right if up else Qt.Key.Key_Left)
    complete(fireside)
    return planner


def test_a_size_is_shown_first_and_set_when_it_is_confirmed(fireside):
    opened(fireside)
    planner = slide(fireside, 16384)
    assert (planner.tokens.text(), planner.quality.text()) == ("16k tokens", "usually fine")
    assert "YaRN × 2" in planner.words.text()
    assert not planner.speed.isVisible()  # nothing has been measured here yet
    assert chosen(fireside) == Choices()
    press(fireside, planner.back)
    assert planner.tokens.text() == "8k tokens"
    slide(fireside, 4096)
    press(fireside, planner.always)
    assert chosen(fireside).settings.context == 4096
    assert not planner.question.isVisible()
    fireside.say("Hello")
    assert fireside.engine.plays[-1].request.settings.context == 4096
    done(fireside)
    slide(fireside, 8192)
    press(fireside, planner.always)
    assert chosen(fireside) == Choices()


def test_a_size_for_one_chat_is_that_chats_alone(fireside):
    opened(fireside)
    press(fireside, slide(fireside, 16384).here)
    assert chosen(fireside) == Choices()
    fireside.say("Hello")
    assert fireside.engine.plays[-1].request.settings.context == 16384
    done(fireside)
    first = fireside.chat.id
    assert fireside.store.chat(first).result(10)[0].context == 16384
    press(fireside, slide(fireside, 32768).here)
    fireside.settle()
    fireside.say("Once more")
    assert fireside.engine.plays[-1].request.settings.context == 32768
    done(fireside)
    fireside.qtbot.keyClick(fireside.window, Qt.Key.Key_N, CTRL)
    fireside.qtbot.waitUntil(lambda: section(fireside, ContextSize).tokens.text() == "8k tokens")
    fireside.say("Elsewhere")
    assert fireside.engine.plays[-1].request.settings.context is None
    done(fireside)
    fireside.chat.open(first)
    fireside.qtbot.waitUntil(lambda: fireside.chat.id == first)
    fireside.qtbot.waitUntil(lambda: section(fireside, ContextSize).tokens.text() == "32k tokens")
    press(fireside, slide(fireside, 16384).always)
    press(fireside, slide(fireside, 4096).here)
    fireside.settle()
    assert chosen(fireside).settings.context == 16384
    fireside.say("And with less")
    assert fireside.engine.plays[-1].request.settings.context == 4096


def test_every_number_of_the_rotation_is_checked_where_it_is_written(fireside):
    opened(fireside)
    planner = section(fireside, ContextSize)
    unfold(fireside, planner.advanced)
    scaling = planner.scaling
    for bad in ("0", "-5", "1000000000000", "100", "many"):
        write(fireside, scaling.tokens.line, bad)
        assert scaling.tokens.problem, bad
        assert chosen(fireside) == Choices()
    write(fireside, scaling.tokens.line, "")
    press(fireside, scaling.method.buttons["none"])
    assert [name for name, field in scaling.numbers.items() if field.isVisible()] == ["freq_base"]
    press(fireside, scaling.method.buttons["yarn"])
    assert len([field for field in scaling.numbers.values() if field.isVisible()]) == 7
    write(fireside, scaling.numbers["factor"].line, "4")
    assert chosen(fireside).options.rope.factor == 4
    for name, value, sentence in (
        ("freq_scale", "0.5", "contradict"),
        ("freq_base", "0", "must be between"),
        ("beta_slow", "64", "must be less"),
        ("ext_factor", "nan", "is not a number"),
    ):
        write(fireside, scaling.numbers[name].line, value)
        assert sentence in scaling.numbers[name].problem, name
    assert chosen(fireside).options.rope.raw == {"factor": 4}
    press(fireside, scaling.method.buttons["none"])
    assert chosen(fireside).options.rope.raw == {}
    press(fireside, scaling.method.buttons["auto"])
    assert chosen(fireside) == Choices()


def test_what_was_measured_here_says_how_long_reading_takes(fireside):
    measured = [str(fireside.chat.model.path), 1.0, 100.0, 10.0, 5000.0, 10.0]
    fireside.database.write(
        lambda db: db.execute("INSERT INTO model_uses VALUES (?, ?, ?, ?, ?, ?)", measured)
    ).result(10)
    opened(fireside)
    planner = section(fireside, ContextSize)
    fireside.qtbot.waitUntil(planner.speed.isVisible)
    assert planner.speed.text() == "It has read at 500 tokens/s here: at least 17 s to read it full."
    assert slide(fireside, 65536).speed.text().endswith("at least 3 min to read it full.")


def test_moving_the_thumb_takes_no_time(fireside):
    opened(fireside)
    steps = section(fireside, ContextSize).steps
    times = []
    for number in (*range(steps.slider.maximum() + 1),) * 3:
        before = perf_counter()
        steps.slider.setValue(number)
        times.append(perf_counter() - before)
    assert sorted(times)[len(times) // 2] < 0.008


def test_another_model_has_settings_of_its_own(fireside, second_model, model_of):
    fireside.models.add(second_model).result(10)
    fireside.settle()
    opened(fireside)
    sampling = section(fireside, Sampling)
    unfold(fireside, sampling.advanced)
    unfold(fireside, sampling.shape)
    first = fireside.chat.model
    write(fireside, sampling.samplers["top_k"].line, "7")
    write(fireside, sampling.samplers["top_p"].line, "7")
    write_text(fireside, sampling.form.bias.text, "fox")
    fireside.chat.choose(model_of(fireside, "Second"))
    fireside.qtbot.waitUntil(lambda: fireside.window.inspector.desk.outlook is not None)
    complete(fireside)
    assert sampling.samplers["top_k"].line.text() == ""
    assert (sampling.samplers["top_p"].line.text(), sampling.samplers["top_p"].problem) == ("", "")
    assert (sampling.form.bias.text.toPlainText(), sampling.form.bias.problem) == ("", "")
    fireside.chat.choose(first)
    complete(fireside)
    assert sampling.samplers["top_k"].line.text() == "7"


def test_what_does_not_fit_is_said_and_what_fits_is_offered(fireside):
    opened(fireside)
    desk = fireside.window.inspector.desk
    take = desk.outlook.chosen
    nearest = Nearest(4096, LoadOptions(kv_type="q8_0"), "It sees fewer tokens at once.")
    huge = replace(take, context=1 << 20, conversation=1 << 60, nearest=nearest)
    desk.outlook = replace(desk.outlook, trained=1 << 20, sizes=(take, huge))
    desk.changed.emit()
    complete(fireside)
    planner = slide(fireside, 1 << 20)
    assert planner.use.verdict.text() == "Too large"
    assert planner.lack.text().endswith("It sees fewer tokens at once.")
    assert planner.always.isVisible()  # nothing is refused
    press(fireside, planner.instead)
    assert (chosen(fireside).settings.context, chosen(fireside).options.kv_type) == (4096, "q8_0")


def test_how_the_model_is_loaded_reaches_every_kind_of_turn(fireside):
    opened(fireside)
    memory = section(fireside, MemoryOfModel)
    unfold(fireside, memory.advanced)
    planner = section(fireside, ContextSize)
    unfold(fireside, planner.advanced)
    press(fireside, planner.scaling.kinds.buttons["q8_0"])
    press(fireside, memory.loading["flash_attention"].buttons[False])
    assert "needs flash attention" in memory.loading["flash_attention"].problem
    assert memory.loading["flash_attention"].buttons[None].isChecked()
    write(fireside, memory.loading["threads"].line, "2")
    press(fireside, memory.loading["mlock"].switch)
    options = LoadOptions(kv_type="q8_0", threads=2, mlock=True)
    assert chosen(fireside).options == options
    fireside.say("Hello")
    done(fireside)
    answer = fireside.window.inspector.desk.answer()
    fireside.chat.write_versions(answer)
    fireside.qtbot.waitUntil(lambda: len(fireside.engine.plays) == 4)
    done(fireside)
    assert [play.request.options for play in fireside.engine.plays] == [options] * 4


def test_an_adapter_that_does_not_fit_says_so_and_one_that_fits_is_listed(fireside, smollm2, tmp_path):
    opened(fireside)
    memory = section(fireside, MemoryOfModel)
    unfold(fireside, memory.overlays)
    adapters = memory.adapters
    adapters.add_file(smollm2)
    fireside.qtbot.waitUntil(lambda: "is a whole model, not an adapter" in adapters.problem)
    assert chosen(fireside) == Choices()
    adapters._added(tmp_path / "fox.gguf")
    complete(fireside)
    (row,) = adapters.rows
    write(fireside, row.line, "0.5")
    assert chosen(fireside).adapters == (Adapter(tmp_path / "fox.gguf", 0.5),)
    (row,) = adapters.rows
    write(fireside, row.line, "99")
    assert "must be between" in adapters.problem
    press(fireside, row.remove)
    assert chosen(fireside) == Choices()
    assert adapters.rows == []


def test_saved_reading_is_told_and_can_be_cleared(fireside):
    folder = fireside.home / "snapshots"
    folder.mkdir()
    (folder / "a.state").write_bytes(b"read " * 400_000)
    (folder / "a.json").write_text("{}")
    opened(fireside)
    saved = section(fireside, MemoryOfModel).saved
    assert saved.words.text().startswith("1 kept: 2 MB of ")
    press(fireside, saved.clear)
    fireside.qtbot.waitUntil(lambda: saved.words.text().startswith("0 kept: 0 bytes of "))
    assert not saved.clear.isVisible()
    assert list(folder.glob("a.*")) == []


# ---- the chat


def test_the_system_prompt_belongs_to_the_chat(fireside):
    opened(fireside)
    prompt = section(fireside, SystemPrompt).field
    write_text(fireside, prompt.text, "Be a fox.")
    fireside.say("Hello")
    done(fireside)
    first = fireside.chat.id
    assert fireside.engine.plays[-1].request.turns[0].text == "Be a fox."
    write_text(fireside, prompt.text, "Be an owl.")
    fireside.qtbot.keyClick(fireside.window, Qt.Key.Key_N, CTRL)
    complete(fireside)
    assert prompt.text.toPlainText() == ""
    fireside.say("Who are you?")
    done(fireside)
    assert fireside.engine.plays[-1].request.turns[0].text == "Who are you?"
    fireside.chat.open(first)
    fireside.qtbot.waitUntil(lambda: fireside.chat.id == first)
    complete(fireside)
    assert prompt.text.toPlainText() == "Be an owl."
    fireside.say("And now?")
    done(fireside)
    assert fireside.engine.plays[-1].request.turns[0].text == "Be an owl."


def test_what_is_being_written_is_kept_when_the_window_closes(start):
    first = start().show()
    first.say("Hello")
    done(first)
    opened(first)
    first.qtbot.keyClicks(section(first, SystemPrompt).field.text, "Be a fox.")
    first.window.close()
    first.settle()
    assert first.store.chat(first.chat.id).result(10)[0].system_prompt == "Be a fox."


def test_this_answer_tells_what_it_took(fireside):
    opened(fireside)
    facts = section(fireside, AnswerFacts)
    assert not facts.isVisible()
    fireside.say("Hello")
    done(fireside)
    complete(fireside)
    assert facts.isVisible()
    said = dict(facts.facts.said)
    assert said["Speed"] == "4.0 tokens/s"
    assert (said["Tokens read"], said["Tokens reused"], said["Tokens written"]) == ("6", "4", "2")
    assert (said["Seed"], said["Context"], said["Ended"]) == ("7", "8k", "complete")
    assert said["Samplers"] == "top-k → draw"


def test_without_a_model_it_says_so(start, monkeypatch):
    monkeypatch.setattr("models_registry.library.find_starter", lambda: None)
    fireside = start().show(models=False)
    fireside.models.refresh().result(10)
    fireside.settle()
    fireside.qtbot.keyClick(fireside.window, Qt.Key.Key_I, CTRL)
    inspector = fireside.window.inspector

    def words() -> list[str]:
        labels = inspector.findChildren(QLabel)
        return [label.text() for label in labels if label.isVisible() and label.text()]

    fireside.qtbot.waitUntil(lambda: words() == ["There is no model on this computer yet."])
