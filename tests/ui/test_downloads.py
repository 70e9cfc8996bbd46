"""Downloads in the window, from a stand-in hub through the real client."""

from collections.abc import Iterator

import pytest
from loopback_hub import Fault, LoopbackHub, Seeded
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QMessageBox, QPushButton

from app.domain.download import Download, Progress, RemotePart, State
from app.services.hubs import HubSettings
from app.ui.downloads.words import arrived_text, facts, left_text, summary
from app.ui.notices import Notice

NAME = "ada/Small-GGUF"


@pytest.fixture
def hub(monkeypatch) -> Iterator[LoopbackHub]:
    monkeypatch.setattr("models_registry.transfer.KEPT_FREE", 0)
    with LoopbackHub() as made:
        yield made
        assert made.trapped == []
        assert made.violations == []


@pytest.fixture
def offer(hub, fireside):
    """Have the hub offer a file, and return its download."""

    def make(content: object, *, quantization: str = "Q4_K_M") -> Download:
        path = f"small-{quantization}.gguf"
        known = hub.repositories.get(NAME)
        files = dict(known.commits[known.head]) if known else {}
        if known:
            hub.push(NAME, {**files, path: content})
        else:
            hub.add(NAME, {path: content})
        commit = hub.repositories[NAME].head
        stored = hub.repositories[NAME].commits[commit][path]
        part = RemotePart(path, stored.size, hub.sha256(NAME, path))
        return Download(0, "Small", hub.endpoint, NAME, commit, quantization, (part,))

    fireside.hubs.set_settings(HubSettings(endpoint=hub.endpoint))
    fireside.downloads.begin()
    return make


@pytest.fixture
def cards(fireside):
    return fireside.window.sidebar.downloads


def only(cards):
    (card,) = cards.cards.values()
    return card


def slow(hub, rate: int = 200_000) -> None:
    hub.faults.append(Fault("slow", rate=rate, origin="cdn"))


def press(button: QPushButton) -> None:
    assert not button.isHidden()
    button.click()


def test_no_download_takes_no_room(fireside, cards):
    assert cards.isHidden()


def test_a_download_arrives_and_its_model_is_used(fireside, offer, cards, qtbot, second_model):
    desk = fireside.window._downloads
    desk.add(offer(second_model))
    qtbot.waitUntil(lambda: cards.isVisible() and "ready" in only(cards).text, timeout=15_000)
    qtbot.waitUntil(lambda: not desk.ticking)
    press(only(cards).use)
    qtbot.waitUntil(lambda: "ada" in fireside.chat.model.path.parts, timeout=5000)
    qtbot.waitUntil(lambda: cards.isHidden())
    assert fireside.chat.model.path.is_file()


def test_what_is_here_already_is_used_when_a_copy_arrives(fireside, offer, cards, qtbot, smollm2):
    model = fireside.models.identified(fireside.models.known[0]).result(30)
    qtbot.waitUntil(lambda: fireside.models.known[0].sha256 == model.sha256)
    fireside.window._downloads.add(offer(smollm2))
    qtbot.waitUntil(lambda: cards.isVisible() and "ready" in only(cards).text, timeout=15_000)
    press(only(cards).use)
    qtbot.waitUntil(lambda: cards.isHidden())
    assert fireside.chat.model.path == model.path


def test_pause_resume_and_cancel(fireside, offer, cards, hub, qtbot):
    slow(hub)
    desk = fireside.window._downloads
    told = []
    desk._taskbar._choose = lambda window: told.append
    desk.add(offer(Seeded(4_000_000)))
    qtbot.waitUntil(lambda: bool(cards.cards) and "kB/s" in only(cards).text)
    assert desk.ticking
    press(only(cards).pause)
    qtbot.waitUntil(lambda: "Paused" in only(cards).text)
    qtbot.waitUntil(lambda: not desk.ticking)
    assert told[-1] is None
    assert told[:-1] == sorted(told[:-1])
    assert told[0] < 0.5
    press(only(cards).pause)
    qtbot.waitUntil(lambda: desk.ticking)
    press(only(cards).cancel)
    qtbot.waitUntil(lambda: cards.isHidden())
    assert not list((fireside.home / "models").rglob("*.part"))
    qtbot.waitUntil(lambda: bool(fireside.window.findChildren(Notice)))
    (notice,) = fireside.window.findChildren(Notice)
    assert "was cancelled" in notice.error
    notice.taken(notice.offer)
    qtbot.waitUntil(lambda: cards.isVisible())


def test_a_damaged_file_says_so_and_is_tried_again(fireside, offer, cards, hub, qtbot):
    hub.faults.append(Fault("wrong", at=1000, origin="cdn", times=2))
    fireside.window._downloads.add(offer(Seeded(300_000)))
    qtbot.waitUntil(lambda: bool(cards.cards) and "damaged" in only(cards).text)
    assert only(cards).pause.isHidden()
    press(only(cards).again)
    qtbot.waitUntil(lambda: "ready" in only(cards).text)


def test_a_cut_connection_waits_for_its_next_try(fireside, offer, cards, hub, qtbot):
    download = offer(Seeded(300_000))
    hub.go_dark()
    fireside.window._downloads.add(download)
    qtbot.waitUntil(lambda: bool(cards.cards) and "Trying again in" in only(cards).text)
    assert only(cards)._hint.text() == f"The mirror “{hub.endpoint}” cannot be reached."
    assert only(cards)._hint.isVisible()
    hub.come_back()
    press(only(cards).again)
    qtbot.waitUntil(lambda: "ready" in only(cards).text)


def test_a_file_that_was_replaced_says_so(fireside, offer, cards, hub, qtbot):
    hub.faults.append(Fault("hash_lie", path="/resolve/"))
    fireside.window._downloads.add(offer(Seeded(300_000)))
    said = "“small-Q4_K_M.gguf” was replaced while it was being downloaded. Choose the model anew."
    qtbot.waitUntil(lambda: bool(cards.cards) and said in only(cards).text)
    assert only(cards)._problem.isVisible()
    assert only(cards)._hint.isVisible()


def test_a_full_disk_says_so(fireside, offer, cards, monkeypatch, qtbot):
    monkeypatch.setattr("models_registry.transfer.KEPT_FREE", 10**15)
    fireside.window._downloads.add(offer(Seeded(300_000)))
    qtbot.waitUntil(lambda: bool(cards.cards) and "not enough room" in only(cards).text)
    assert "what has arrived is kept" in only(cards).text


def test_order_is_changed(fireside, offer, cards, hub, qtbot):
    slow(hub, 20_000)
    desk = fireside.window._downloads
    for quantization in ("Q2_K", "Q3_K_M", "Q4_K_M", "Q5_K_M"):
        desk.add(offer(Seeded(2_000_000), quantization=quantization))
    qtbot.waitUntil(lambda: len(desk.known) == 4)
    desk.move(desk.known[3], -1)
    qtbot.waitUntil(lambda: [each.quantization for each in desk.known][2:] == ["Q5_K_M", "Q4_K_M"])
    desk.move(desk.known[2], 1)
    qtbot.waitUntil(lambda: [each.quantization for each in desk.known][2:] == ["Q4_K_M", "Q5_K_M"])
    column = cards._column
    assert [column.itemAt(at).widget() for at in range(4)] == [cards.cards[each.id] for each in desk.known]


@pytest.fixture
def three(fireside, offer, cards, hub, qtbot):
    """Have three on their way, and return their quantizations as they stand."""
    slow(hub, 20_000)
    desk = fireside.window._downloads
    for seed, quantization in enumerate(("Q2_K", "Q3_K_M", "Q4_K_M")):
        desk.add(offer(Seeded(2_000_000, seed), quantization=quantization))
    qtbot.waitUntil(lambda: len(desk.known) == 3 and desk.progress(desk.known[1]).running)
    return lambda: [each.quantization for each in desk.known]


def drag(cards, qtbot, quantization: str, to: str, *, let_go: bool = True) -> None:
    by_name = {card.download.quantization: card for card in cards.cards.values()}
    card, other = by_name[quantization], by_name[to]
    down = other.y() > card.y()
    end = card.mapFromGlobal(other.mapToGlobal(QPoint(60, other.height() - 4 if down else 4)))
    qtbot.mousePress(card, Qt.MouseButton.LeftButton, pos=QPoint(60, 6))
    for pos in (QPoint(60, 12), QPoint(60, 30), end):
        qtbot.mouseMove(card, pos)
    if let_go:
        qtbot.mouseRelease(card, Qt.MouseButton.LeftButton, pos=end)


def test_order_is_changed_with_the_mouse(fireside, cards, three, qtbot):
    drag(cards, qtbot, "Q4_K_M", "Q2_K", let_go=False)
    line = cards._mover._line
    assert line.isVisible()
    assert line.y() <= 1
    held = next(card for card in cards.cards.values() if card.held)
    qtbot.keyClick(fireside.composer, Qt.Key.Key_Escape)
    assert not line.isVisible()
    qtbot.mouseRelease(held, Qt.MouseButton.LeftButton)
    fireside.settle()
    assert three() == ["Q2_K", "Q3_K_M", "Q4_K_M"]
    drag(cards, qtbot, "Q4_K_M", "Q2_K")
    qtbot.waitUntil(lambda: three() == ["Q4_K_M", "Q2_K", "Q3_K_M"])
    drag(cards, qtbot, "Q4_K_M", "Q3_K_M")
    qtbot.waitUntil(lambda: three() == ["Q2_K", "Q3_K_M", "Q4_K_M"])
    drag(cards, qtbot, "Q2_K", "Q3_K_M")
    qtbot.waitUntil(lambda: three() == ["Q3_K_M", "Q2_K", "Q4_K_M"])


def test_order_is_changed_with_the_keyboard(cards, three, qtbot):
    last = list(cards.cards.values())[-1]
    last.cancel.setFocus(Qt.FocusReason.TabFocusReason)
    for order in (["Q2_K", "Q4_K_M", "Q3_K_M"], ["Q4_K_M", "Q2_K", "Q3_K_M"]):
        qtbot.keyClick(last.cancel, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
        qtbot.waitUntil(lambda order=order: three() == order)
        assert last.cancel.hasFocus()
    qtbot.keyClick(last.cancel, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)  # it is the first already
    qtbot.keyClick(last.cancel, Qt.Key.Key_Tab)  # to the card that is the next one now
    second = next(card for card in cards.cards.values() if card.download.quantization == "Q2_K")
    assert second.pause.hasFocus()
    qtbot.keyClick(second.pause, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    qtbot.waitUntil(lambda: three() == ["Q4_K_M", "Q3_K_M", "Q2_K"])


def test_much_is_not_lost_without_a_question(fireside, offer, cards, hub, monkeypatch, qtbot):
    slow(hub)
    monkeypatch.setattr("app.ui.downloads.desk._MUCH", 10_000)
    desk = fireside.window._downloads
    desk.add(offer(Seeded(4_000_000)))
    qtbot.waitUntil(lambda: bool(desk.known) and desk.progress(desk.known[0]).done > 10_000)
    press(only(cards).cancel)
    (box,) = fireside.window.findChildren(QMessageBox)
    box.defaultButton().click()
    qtbot.waitUntil(lambda: not fireside.window.findChildren(QMessageBox))
    assert desk.known
    press(only(cards).cancel)
    (box,) = fireside.window.findChildren(QMessageBox)
    next(each for each in box.buttons() if each.text() == "Cancel the download").click()
    qtbot.waitUntil(lambda: not desk.known)


def of(state: State) -> Download:
    part = RemotePart("m.gguf", 4_400_000_000, "0" * 64)
    return Download(1, "Qwen3 8B", "", "a/b", "0" * 40, "Q4_K_M", (part,), state)


def test_words():
    assert arrived_text(1_200_000_000, 4_400_000_000) == "1.2 of 4.4 GB"
    assert arrived_text(12_400_000, 98_000_000) == "12 of 98 MB"
    running = Progress(True, 1_200_000_000, 12_000_000, 240.0)
    assert facts(of(State.WAITING), running) == ("1.2 of 4.4 GB", "12 MB/s")
    assert summary(of(State.WAITING), running) == ("Qwen3 8B · Q4_K_M: 1.2 of 4.4 GB, 12 MB/s, 4 min left")
    assert facts(of(State.WAITING), Progress(False, 0)) == ("Waiting", "4.4 GB")
    assert facts(of(State.WAITING), Progress(True, 5, next_try=29.2)) == ("Trying again in 30 s",)
    shown = [left_text(seconds) for seconds in (0.2, 59, 61, 3599, 3700, 86_400, 260_000)]
    assert shown == [
        "1 s left",
        "59 s left",
        "2 min left",
        "1 h 0 min left",
        "1 h 2 min left",
        "24 h 0 min left",
        "3 days left",
    ]
