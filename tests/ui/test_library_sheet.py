"""The models on this computer in their sheet: looked at, checked, shown, renamed, removed, added."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QMimeData, QObject, QPoint, QRect, QRectF, Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices, QDragEnterEvent, QDropEvent, QGuiApplication, QImage, QPainter
from PySide6.QtWidgets import QApplication, QMessageBox
from tiny_models import tiny

from app.domain.chat import ModelIdentity, Status
from app.domain.download import Download, RemotePart, State
from app.domain.generation import Stats, StopReason
from app.domain.settings import Settings
from app.ui.library.desk import Order
from app.ui.library.sheet import LibrarySheet
from app.ui.model_rows import ModelRole
from app.ui.popover import draw_shadow, lay_shadow
from models_registry.library import Library, digest_of
from models_registry.starter import SHA256

STATS = Stats(StopReason.END, 200, 0, 101, 0.5, 2.0, 0.6, 7, 4096)


@pytest.fixture
def own(tmp_path: Path, smollm2: Path) -> Path:
    Library(tmp_path / "models").learn_sha256(smollm2, SHA256)  # or each test would read all of it
    path = tmp_path / "models" / "maker" / "Tiny-GGUF" / "Tiny-1B-F32.gguf"
    path.parent.mkdir(parents=True)
    tiny().write(path)
    return path


@pytest.fixture
def linked(tmp_path: Path) -> Path:
    path = tmp_path / "elsewhere" / "Linked-2B-F32.gguf"
    path.parent.mkdir()
    model = tiny()
    model.metadata["llama.rope.freq_base"] = ("f32", 1e5)
    model.write(path)
    return path


@pytest.fixture
def library(own, linked, fireside, qtbot):
    """Open the sheet over the starter, a model of Fireside's own folder, and a linked one."""
    fireside.models.add(linked).result(10)
    return open_sheet(fireside, qtbot)


def open_sheet(fireside, qtbot) -> LibrarySheet:
    fireside.window.actions_by_name["library"].trigger()
    sheet = fireside.window.findChildren(LibrarySheet)[-1]  # one that was closed may be on its way out
    know(fireside, qtbot)
    return sheet


def know(fireside, qtbot) -> None:
    """Wait until all is known of every model."""
    qtbot.waitUntil(lambda: all(model.sha256 or model.problem for model in fireside.models.known))
    fireside.models.refresh().result(10)
    fireside.facts.look().result(10)
    fireside.window.model_sheets.library.refresh()
    fireside.settle()


def names(sheet) -> list[str]:
    rows = sheet.list.rows
    return [rows.index(number).data() for number in range(rows.rowCount())]


def spoken(sheet, name: str) -> str:
    at = names(sheet).index(name)
    return sheet.list.rows.index(at).data(Qt.ItemDataRole.AccessibleTextRole)


def look(fireside, sheet, path: Path):
    model = next(model for model in fireside.models.known if model.path == path)
    sheet._desk.open(model)
    return sheet.page


def answer(fireside, path: Path) -> None:
    model = next(model for model in fireside.models.known if model.path == path)
    identity = ModelIdentity(model.name, model.sha256, str(path))
    started = fireside.store.start_turn(None, None, "hi", identity, Settings()).result(10)
    fireside.store.finish(started.reply.id, "hello", Status.COMPLETE, STATS, "").result(10)


def agree(sheet, words: str) -> str:
    """Press the button with `words` in the question that is shown; return what it says."""
    (box,) = sheet.window().findChildren(QMessageBox)
    said = f"{box.text()} {box.informativeText()}"
    next(button for button in box.buttons() if button.text() == words).click()
    return said


class Folders(QObject):
    """What the system would open."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[Path] = []

    @Slot(QUrl)
    def show(self, url: QUrl) -> None:
        self.opened.append(Path(url.toLocalFile()))


@pytest.fixture
def folders(monkeypatch):
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
    made = Folders()
    QDesktopServices.setUrlHandler("file", made, "show")
    yield made
    QDesktopServices.unsetUrlHandler("file")


def test_all_models_with_all_that_is_known(library, fireside, own, linked, qtbot):
    assert names(library) == ["Linked 2B", "SmolLM2 135M Instruct", "Tiny 1B"]
    assert library.list.sum.text.startswith("3 models · ")
    assert spoken(library, "SmolLM2 135M Instruct") == (
        "SmolLM2 135M Instruct Q4_1. Fits well. 98 MB, 135M, llama, 8k context, apache-2.0. "
        "not used yet, came with Fireside"
    )
    assert spoken(library, "Tiny 1B").endswith("not used yet, maker/Tiny-GGUF")
    answer(fireside, own)
    fireside.settle()
    qtbot.waitUntil(lambda: "50 tokens/s here, used today, maker/Tiny-GGUF" in spoken(library, "Tiny 1B"))
    page = look(fireside, library, own)
    buttons = (page.use, page.check, page.show_file, page.remove, page.rename)
    assert all(button.isVisible() for button in buttons)
    shown = {key: page.value(key) for key in ("fit", "writes", "reads", "used", "context", "quantization")}
    assert shown == {
        "fit": "Fits well",
        "writes": "50 tokens/s",
        "reads": "400 tokens/s",
        "used": "today",
        "context": "512 tokens",
        "quantization": "F32",
    }
    assert page.value("file") == str(own)
    model = fireside.window.model_sheets.library.model
    assert page.value("sha256") == f"{model.sha256[:12]}…"
    page.whole.click()
    assert page.value("sha256") == model.sha256
    page.copy.click()
    assert QGuiApplication.clipboard().text() == model.sha256


def test_sorted_and_searched(library, fireside, linked, own, qtbot):
    answer(fireside, linked)
    know(fireside, qtbot)
    library._desk.sort(Order.SIZE)
    assert names(library)[0] == "SmolLM2 135M Instruct"
    library._desk.sort(Order.USED)
    assert names(library)[0] == "Linked 2B"
    library.list.field.setText("tiny f32")
    assert names(library) == ["Tiny 1B"]
    library.list.field.setText("zzz")
    assert names(library) == []
    assert library.list._none.isVisible()


def test_by_the_keyboard_alone(library, fireside, own, qtbot):
    assert library.list.list.hasFocus()
    qtbot.keyClick(library.list.list, Qt.Key.Key_Up)
    assert library.list.field.hasFocus()
    qtbot.keyClick(library.list.field, Qt.Key.Key_Down)
    qtbot.keyClick(library.list.list, Qt.Key.Key_End)
    qtbot.keyClick(library.list.list, Qt.Key.Key_Return)
    assert library.page is not None
    assert library.page.path == own
    assert library.back.hasFocus()
    qtbot.keyClick(library.back, Qt.Key.Key_Space)
    assert library.page is None
    qtbot.keyClick(library.list.list, Qt.Key.Key_F2)
    assert library.page.editor.hasFocus()
    qtbot.keyClick(library.page.editor, Qt.Key.Key_Escape)
    assert library.isVisible()
    assert not library.page.editor.isVisible()
    library._desk.leave_page()
    qtbot.keyClick(library.list.list, Qt.Key.Key_Delete)
    agree(library, "Keep it")
    assert own.exists()
    qtbot.keyClick(library.list.list, Qt.Key.Key_Escape)
    assert not library.isVisible()


def test_another_name_and_the_first_one_back(library, fireside, linked, qtbot):
    page = look(fireside, library, linked)
    page.rename.click()
    qtbot.keyClicks(page.editor, "My best")
    qtbot.keyClick(page.editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: page.title.text() == "My best")
    assert page.rename.isVisible()
    fireside.models.refresh().result(10)
    assert "My best" in [model.name for model in fireside.models.known]
    assert linked.name == "Linked-2B-F32.gguf"
    page.rename.click()
    assert page.editor.placeholderText() == "Linked 2B"
    page.editor.clear()
    qtbot.keyClick(page.editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: page.title.text() == "Linked 2B")


def test_a_check_of_what_was_downloaded(library, fireside, own, qtbot):
    parts = (RemotePart(own.name, own.stat().st_size, digest_of(own, lambda: False) or ""),)
    fireside.models.arrived(Download(1, "Tiny", "", "maker/Tiny-GGUF", "c" * 40, "F32", parts), [own])
    page = look(fireside, library, own)
    page.check.click()
    qtbot.waitUntil(lambda: "Tiny 1B is exactly what maker/Tiny-GGUF published." in page.words)
    assert page.value("commit") == "c" * 12 + "…"
    with own.open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x99")
    page.check.click()
    qtbot.waitUntil(lambda: "not the ones that maker/Tiny-GGUF published" in page.words)
    qtbot.waitUntil(lambda: "not the ones that were downloaded" in page.words)
    library._desk.leave_page()
    assert "not the ones that were downloaded" in spoken(library, "Tiny 1B")


def test_a_check_can_be_stopped(library, fireside, linked, qtbot):
    with linked.open("r+b") as file:
        file.truncate(6 << 30)  # a hole
    fireside.models.refresh().result(10)
    page = look(fireside, library, linked)
    page.check.click()
    qtbot.waitUntil(lambda: "being read: 0 %" not in page.words and "being read" in page.words)
    assert "Checking…" in spoken(library, "Linked 2B")
    assert page.check.text() == "Stop the check"
    page.check.click()
    qtbot.waitUntil(lambda: "Linked 2B was not checked to its end." in page.words)
    assert page.check.text() == "Check the file"


def test_shown_where_it_lies(library, fireside, linked, folders, qtbot):
    page = look(fireside, library, linked)
    page.show_file.click()
    qtbot.waitUntil(lambda: folders.opened == [linked.parent])


def test_a_file_of_ones_own_goes_to_the_trash(library, fireside, own, tmp_path, monkeypatch, qtbot):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    kilobytes = own.stat().st_size / 1000
    page = look(fireside, library, own)
    page.remove.click()
    said = agree(library, "Move to the trash")
    assert "Move Tiny 1B to the trash?" in said
    assert f"Tiny-1B-F32.gguf ({kilobytes:.0f} kB)" in said
    qtbot.waitUntil(lambda: library.page is None)
    qtbot.waitUntil(lambda: "Tiny 1B lies in the trash now." in library.list.said.text())
    assert not own.exists()


def test_a_linked_file_stays_and_the_starter_too(library, fireside, linked, smollm2, qtbot):
    page = look(fireside, library, linked)
    page.remove.click()
    assert f"stays where it is, in {linked.parent}" in agree(library, "Take it off")
    qtbot.waitUntil(lambda: "Linked 2B" not in names(library))
    assert linked.exists()
    assert not look(fireside, library, smollm2).remove.isVisible()
    library._desk.leave_page()
    library.list.list.setCurrentIndex(library.list.rows.index(0))
    qtbot.keyClick(library.list.list, Qt.Key.Key_Delete)
    assert "came with Fireside and stays" in library.list.said.text()


def test_copies_are_told_where_they_lie(library, fireside, own, linked, tmp_path, qtbot):
    copy = Path(shutil.copy(own, linked.parent / "copy.gguf"))
    fireside.models.add(copy).result(10)
    know(fireside, qtbot)
    assert len(names(library)) == 3
    page = look(fireside, library, own)
    qtbot.waitUntil(lambda: page.value("copies") == str(copy))
    page.remove.click()
    assert f"A copy in {copy.parent} stays" in agree(library, "Keep it")


def test_a_file_that_is_gone_says_so_in_its_place(library, fireside, linked, qtbot):
    linked.unlink()
    fireside.models.refresh().result(10)
    qtbot.waitUntil(lambda: "“Linked-2B-F32.gguf” cannot be found." in spoken(library, "Linked 2B"))
    page = look(fireside, library, linked)
    assert "cannot be found" in page.words
    assert not page.use.isVisible()
    assert not page.check.isEnabled()
    page.remove.click()
    agree(library, "Take it off")
    qtbot.waitUntil(lambda: "Linked 2B" not in names(library))


def test_used_from_here(library, fireside, own, qtbot):
    look(fireside, library, own).use.click()
    qtbot.waitUntil(lambda: fireside.chat.model.path == own)
    assert not library.isVisible()
    assert open_sheet(fireside, qtbot).page.path == own  # where it was left


def test_a_file_dropped_on_the_sheet_is_added(library, fireside, tmp_path, qtbot):
    before = fireside.chat.model.path
    dropped = tmp_path / "Dropped-3B-F32.gguf"
    model = tiny()
    model.metadata["llama.rope.freq_base"] = ("f32", 2e5)
    model.write(dropped)
    drop(fireside.window, library.list.field, dropped)
    qtbot.waitUntil(lambda: "Dropped 3B" in names(library))
    assert library.list.said.text() == "Dropped 3B can be used now."
    assert fireside.chat.model.path == before
    text = tmp_path / "text.gguf"
    text.write_text("no model")
    drop(fireside.window, library.list.list, text)
    qtbot.waitUntil(lambda: "not a GGUF model" in library.list.said.text())


def drop(window, over, path: Path) -> None:
    """Drop a file as the system would: on the innermost widget that takes drops."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    target = over
    while target is not None and not target.acceptDrops():
        target = target.parentWidget()
    where = target.mapFrom(window, over.mapTo(window, QPoint(5, 5)))
    action, button, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    entering = QDragEnterEvent(where, action, mime, button, none)
    QApplication.sendEvent(target, entering)
    assert entering.isAccepted()
    dropping = QDropEvent(where.toPointF(), action, mime, button, none, QEvent.Type.Drop)
    QApplication.sendEvent(target, dropping)
    assert dropping.isAccepted()


def test_every_action_in_the_menu(library, fireside, own, smollm2):
    by_path = {model.path: model for model in fireside.models.known}
    menu = library.list.menu_of(by_path[own])
    texts = [action.text().split("\t")[0] for action in menu.actions() if action.text()]
    assert texts == [
        "Use it",
        "Look at it",
        "Check the file",
        "Show in its folder",
        "Copy the sha256",
        "Rename…",
        "Remove…",
    ]
    assert "Remove…" not in "".join(a.text() for a in library.list.menu_of(by_path[smollm2]).actions())


def test_opened_from_the_picker_which_tells_fit_and_speed(fireside, own, smollm2, qtbot):
    know(fireside, qtbot)
    answer(fireside, smollm2)
    fireside.window.actions_by_name["choose-model"].trigger()
    picker = fireside.window._desk.picker

    def spoken_rows() -> list[str]:
        rows = [picker.rows.index(row) for row in range(picker.rows.rowCount())]
        return [str(row.data(Qt.ItemDataRole.AccessibleTextRole)) for row in rows]

    qtbot.waitUntil(
        lambda: any("Fits well. 98 MB · 8k context · 50 tokens/s here" in row for row in spoken_rows())
    )
    rows = [picker.rows.index(row) for row in range(picker.rows.rowCount())]
    (heading,) = [row for row in rows if row.data(ModelRole.ACTION)]
    assert heading.data() == "On this computer"
    picker._list.clicked.emit(heading)
    assert not picker.isVisible()
    assert fireside.window.findChild(LibrarySheet).isVisible()


def test_offered_when_a_download_has_arrived(fireside, own, qtbot):
    know(fireside, qtbot)
    parts = (RemotePart("Tiny-1B-F32.gguf", own.stat().st_size, "ab" * 32),)
    waiting = Download(7, "Tiny 1B", "", "maker/Tiny-GGUF", "c" * 40, "F32", parts)
    desk = fireside.window._downloads
    desk._take([waiting])
    desk._take([replace(waiting, state=State.DONE)])
    (notice,) = fireside.page.notices._notices()
    assert "Tiny 1B" in notice.error
    fireside.page.notices._take(notice.offer)
    sheet = fireside.window.findChild(LibrarySheet)
    assert sheet.isVisible()
    assert sheet.page.path == own
    desk._take([])


@pytest.mark.parametrize("ratio", [1.0, 2.0])
@pytest.mark.parametrize("card", [QRect(280, 52, 470, 700), QRect(31, 31, 134, 400)])
def test_the_shadow_of_a_card_is_the_same_from_pieces_as_in_one(appearance, card, ratio):
    def shadow(draw) -> QImage:
        made = QImage(round(800 * ratio), round(820 * ratio), QImage.Format.Format_ARGB32_Premultiplied)
        made.setDevicePixelRatio(ratio)
        made.fill(Qt.GlobalColor.white)
        painter = QPainter(made)
        draw(painter)
        painter.fillRect(card, Qt.GlobalColor.white)  # which hides the middle
        painter.end()
        return made

    assert shadow(lambda painter: lay_shadow(painter, card, ratio)) == shadow(
        lambda painter: draw_shadow(painter, QRectF(card))
    )
