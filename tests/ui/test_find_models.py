"""Finding a model at a stand-in hub: search, page, download, and what goes wrong on the way."""

import re
import threading
from datetime import UTC, datetime

import pytest
from loopback_hub import GOOD_TOKEN, Fault, LoopbackHub, Whole
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel, QPushButton

from app.domain import language
from app.services.hubs import HubSettings
from app.ui.assets import asset
from app.ui.hub.sheet import FindSheet
from app.ui.hub.words import age_words, count_words, parameters_words, popularity_words, readable

CARD = b"""---
license: apache-2.0
---
<div align="center"><img src="http://127.0.0.1:9/logo.png"></div>

# Llama 3.1 8B

[![badge](http://127.0.0.1:9/b.svg)](http://127.0.0.1:9/) A **good** model.
"""


@pytest.fixture
def hub(monkeypatch):
    monkeypatch.setattr("models_registry.transfer.KEPT_FREE", 0)
    monkeypatch.setattr("keyring.get_password", lambda service, account: None)
    monkeypatch.setattr("keyring.set_password", lambda service, account, token: None)
    with LoopbackHub() as made:
        yield made
        assert made.trapped == []
        assert made.violations == []


@pytest.fixture
def find(fireside, hub, second_model, qtbot):
    """Have the hub offer some models, and open the sheet."""
    fireside.hubs.set_settings(HubSettings(endpoint=hub.endpoint, token_for_mirror=True))
    fireside.downloads.begin()
    begin, rest = Whole(second_model.read_bytes()[: 5 << 20]), Whole(bytes(1000))
    files = {f"Llama-3.1-8B-{kind}.gguf": begin for kind in ("IQ2_XS", "Q3_K_M", "Q6_K")}
    hub.add(
        "maker/Llama-3.1-8B-GGUF",
        {**files, "Llama-3.1-8B-Q4_K_M.gguf": second_model, "README.md": CARD},
        downloads=1_234_567,
        likes=340,
        gguf={"total": 8_030_000_000, "architecture": "llama", "context_length": 131_072},
        tags=["gguf", "license:apache-2.0"],
    )
    hub.add("unsIoth/Other-GGUF", {"Other-Q4_K_M.gguf": rest}, downloads=5)
    hub.add("meta/Gated-GGUF", {"Gated-Q4_K_M.gguf": rest}, gated="manual", downloads=7)
    for number in range(40):
        hub.add(f"many/Model-{number:02}-GGUF", {"m-Q4_0.gguf": rest})

    def open_sheet() -> FindSheet:
        fireside.window.actions_by_name["find-models"].trigger()
        return fireside.window.findChild(FindSheet)

    return open_sheet


def names(sheet) -> list[str]:
    rows = sheet.results.rows
    return [rows.index(number).data() for number in range(rows.rowCount())]


def words(sheet) -> str:
    shown = [*sheet.findChildren(QLabel), *sheet.findChildren(QPushButton)]
    return "\n".join(each.text() for each in shown if each.isVisible())


def search(sheet, text: str, qtbot) -> None:
    sheet.results.field.setFocus()
    sheet.results.field.setText(text)
    qtbot.keyClick(sheet.results.field, Qt.Key.Key_Return)


def look(sheet, name: str, qtbot) -> None:
    search(sheet, name, qtbot)
    qtbot.waitUntil(lambda: sheet.page is not None and sheet.page.variants.isVisible())


def row(sheet, quantization: str):
    return next(each for each in sheet.page.variants.rows if each.variant.quantization == quantization)


def test_search_page_download(fireside, find, qtbot):
    sheet = find()
    qtbot.waitUntil(lambda: bool(names(sheet)))
    assert fireside.window.sidebar.mark.words.startswith("Search")
    search(sheet, "llama", qtbot)
    qtbot.waitUntil(lambda: names(sheet) == ["Llama-3.1-8B"])
    spoken = sheet.results.rows.index(0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken.startswith("Llama-3.1-8B, maker, 1.2M downloads, 340 likes")
    qtbot.keyClick(sheet.results.field, Qt.Key.Key_Down)
    qtbot.keyClick(sheet.results.list, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: sheet.page is not None and sheet.page.card.isVisible())
    qtbot.waitUntil(lambda: "A good model." in sheet.page.card.body.toPlainText())
    assert "logo" not in sheet.page.card.body.toPlainText()
    assert [each.variant.quantization for each in sheet.page.variants.rows] == [
        "IQ2_XS",
        "Q3_K_M",
        "Q6_K",
        "Q4_K_M",
    ]
    qtbot.waitUntil(lambda: row(sheet, "Q4_K_M")._suits.isVisible())
    assert row(sheet, "Q4_K_M")._fit.text() == "Fits well"
    row(sheet, "Q4_K_M").button.click()
    qtbot.waitUntil(lambda: row(sheet, "Q4_K_M").button.text() == "Use it", timeout=15_000)
    row(sheet, "Q4_K_M").button.click()
    qtbot.waitUntil(lambda: "maker" in fireside.chat.model.path.parts)
    qtbot.waitUntil(lambda: not fireside.window.findChildren(FindSheet))
    qtbot.waitUntil(lambda: not fireside.window._downloads.known)
    again = find()
    qtbot.waitUntil(lambda: row(again, "Q4_K_M").button.text() == "Use it")  # it is here
    row(again, "Q4_K_M").button.click()
    qtbot.waitUntil(lambda: not fireside.window.findChildren(FindSheet))


def test_the_page_says_who_published(find, hub, qtbot):
    hub.publishers["maker"] = {"fullname": "The Makers", "isVerified": True, "numModels": 1234}
    sheet = find()
    look(sheet, "maker/Llama-3.1-8B-GGUF", qtbot)
    who = "The Makers is an organization that the hub has verified"
    said = f"{who} · has published since January 2026 · 1.2k models · 1.2M downloads last month"
    qtbot.waitUntil(lambda: said in words(sheet))


def test_the_page_is_there_before_the_record_of_its_publisher_and_without_it(find, hub, qtbot):
    hub.publishers["maker"] = {"fullname": "The Makers", "numModels": 7}
    late = threading.Event()
    hub.before = lambda request: late.wait(10) if "author" in request.query else None
    hub.faults.append(Fault("status", status=503, path="^/api/models$"))
    sheet = find()
    sheet._desk.open("maker/Llama-3.1-8B-GGUF")
    qtbot.waitUntil(lambda: "The Makers is an organization · 7 models" in words(sheet))
    qtbot.waitUntil(lambda: bool(sheet.page.variants.rows) and sheet.page.card.body.toPlainText() != "")
    late.set()
    qtbot.waitUntil(lambda: any("author" in each.query and each.status == 503 for each in hub.requests))
    assert sheet._desk.page.error is None
    assert "The Makers is an organization · 7 models" in words(sheet)


def test_the_page_follows_the_keyboard(find, qtbot):
    sheet = find()
    look(sheet, "maker/Llama-3.1-8B-GGUF", qtbot)
    qtbot.waitUntil(lambda: sheet.page.card.body.toPlainText() != "")
    sheet.window().resize(640, 480)
    qtbot.waitUntil(lambda: sheet.page.verticalScrollBar().maximum() > 0)
    last = sheet.page.variants.rows[-1].button
    for _number in range(10):
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        if last.hasFocus():
            break
    assert last.hasFocus()
    area = sheet.page.viewport().rect()
    assert area.contains(last.mapTo(sheet.page.viewport(), last.rect().center()))


def test_pages_are_asked_for_when_they_are_wanted(find, hub, qtbot):
    sheet = find()
    qtbot.waitUntil(lambda: len(names(sheet)) == 30)
    bar = sheet.results.list.verticalScrollBar()
    bar.setValue(bar.maximum())
    qtbot.waitUntil(lambda: len(names(sheet)) == 43)
    assert len(set(names(sheet))) == 43


def test_filters_ask_again(find, hub, qtbot):
    sheet = find()
    qtbot.waitUntil(lambda: bool(names(sheet)))
    sheet.results._choices["license"]._apply("apache-2.0")
    qtbot.waitUntil(lambda: names(sheet) == ["Llama-3.1-8B"])
    sheet.results._choices["architecture"]._apply("llama")
    sheet.results._choices["gated"]._apply(False)
    sheet.results._choices["size"]._apply((4_000_000_000, 9_000_000_000))

    def asked() -> list[tuple[object, ...]]:
        queries = [request.query for request in hub.of(path="/api/models")]
        return [(query.get("gated"), query.get("num_parameters")) for query in queries]

    qtbot.waitUntil(lambda: (["false"], ["min:4B,max:9B"]) in asked())
    qtbot.waitUntil(lambda: names(sheet) == ["Llama-3.1-8B"])


def test_no_network_is_told_and_tried_again(find, hub, qtbot):
    hub.go_dark()
    sheet = find()
    qtbot.waitUntil(lambda: f"The mirror “{hub.endpoint}” cannot be reached." in words(sheet))
    assert "Check the connection" in words(sheet)
    hub.come_back()
    sheet.results.again.click()
    qtbot.waitUntil(lambda: bool(names(sheet)))
    assert not sheet.results.again.isVisible()


def test_nothing_found(find, qtbot):
    sheet = find()
    search(sheet, "no such thing", qtbot)
    qtbot.waitUntil(lambda: "Nothing was found" in words(sheet))


def test_an_unknown_repository_is_told_on_its_page(find, qtbot):
    sheet = find()
    search(sheet, "nobody/Nothing-GGUF", qtbot)
    qtbot.waitUntil(lambda: "There is no repository “nobody/Nothing-GGUF”" in words(sheet))
    sheet.back.click()
    assert sheet.page is None
    assert sheet.results.isVisible()


@pytest.mark.parametrize(
    ("path", "said", "step"),
    [
        ("../up-Q4_0.gguf", "“../up-Q4_0.gguf” is not a safe name", "same model from another maker"),
        ("model.safetensors", "There is no model in the GGUF format here.", "with “GGUF” behind it"),
    ],
)
def test_what_cannot_be_had_is_told_on_its_page(find, hub, qtbot, path, said, step):
    hub.add("maker/Other", {path: b"GGUF"})
    sheet = find()
    search(sheet, "maker/Other", qtbot)
    qtbot.waitUntil(lambda: said in words(sheet) and step in words(sheet))


def test_a_name_that_imitates_another_is_warned_of(find, qtbot):
    sheet = find()
    look(sheet, "unsIoth/Other-GGUF", qtbot)
    qtbot.waitUntil(lambda: "This name looks like unsloth" in words(sheet))


def test_a_gated_model_opens_with_a_token(find, qtbot):
    sheet = find()
    look(sheet, "meta/Gated-GGUF", qtbot)
    qtbot.waitUntil(lambda: "wants to know who downloads it" in words(sheet))
    row(sheet, "Q4_K_M").button.click()
    qtbot.waitUntil(lambda: "wants to know who downloads it" in row(sheet, "Q4_K_M")._problem.text())
    sheet.page.token.setText(GOOD_TOKEN)
    qtbot.keyClick(sheet.page.token, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "You have access" in words(sheet))


def test_a_mirror_gets_a_token_only_when_a_person_says_so(fireside, find, hub, qtbot):
    fireside.hubs.set_settings(HubSettings(endpoint=hub.endpoint))
    sheet = find()
    look(sheet, "meta/Gated-GGUF", qtbot)
    qtbot.waitUntil(lambda: sheet.page.token is not None)
    assert sheet.page.send is None
    sheet.page.token.setText(GOOD_TOKEN)
    qtbot.keyClick(sheet.page.token, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: f"has not been sent to the mirror “{hub.endpoint}”" in words(sheet))
    assert all("authorization" not in request.headers for request in hub.requests)
    sheet.page.send.click()
    qtbot.waitUntil(lambda: "You have access" in words(sheet))


def test_the_keyboard_stays_where_a_download_was_asked_for(find, qtbot):
    sheet = find()
    look(sheet, "maker/Llama-3.1-8B-GGUF", qtbot)
    button = row(sheet, "Q4_K_M").button
    button.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(button, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: button.text() == "Use it", timeout=15_000)
    assert button.hasFocus()


def test_a_file_that_is_no_model_is_told_before_its_download(find, qtbot):
    sheet = find()
    look(sheet, "many/Model-00-GGUF", qtbot)
    qtbot.waitUntil(lambda: "It may not run here." in words(sheet))
    assert "“”" not in words(sheet)


def test_a_sheet_that_closes_early_leaves_nothing_behind(fireside, find, qtbot):
    sheet = find()
    search(sheet, "maker/Llama-3.1-8B-GGUF", qtbot)
    sheet.close_card()
    qtbot.waitUntil(lambda: not fireside.window.findChildren(FindSheet))
    qtbot.waitUntil(lambda: fireside.window.model_sheets.hub.page.card is not None)
    again = find()  # where it was left
    qtbot.waitUntil(lambda: again.page is not None and again.page.variants.isVisible())
    assert QApplication.focusWidget() is not None


def test_words():
    assert popularity_words(1_234_567, 1) == ["1.2M downloads", "1 like"]
    assert popularity_words(0, 0) == []
    assert [count_words(count) for count in (0, 999, 1042, 1234, 56_000, 1_234_567)] == [
        "0",
        "999",
        "1k",
        "1.2k",
        "56k",
        "1.2M",
    ]
    sizes = [parameters_words(count) for count in (0, 134_515_008, 999_000_000, 1_540_000_000, 8_030_000_000)]
    assert sizes == ["", "135M", "1B", "1.5B", "8B"]
    now = datetime(2026, 6, 30, tzinfo=UTC)
    ages = [
        age_words(datetime(*day), now) for day in ((2026, 6, 30), (2026, 6, 29), (2026, 5, 30), (2024, 1, 1))
    ]
    assert ages == ["today", "1 day ago", "4 weeks ago", "2 years ago"]


def test_counts_in_a_language_that_counts_by_ten_thousands():
    language.install(asset("translations"), ["zh_CN"])
    try:
        shown = [count_words(count) for count in (999, 1234, 56_000, 1_234_567, 123_456_789)]
    finally:
        language.install(asset("translations"), ["en"])
    numbers = [re.match(r"[\d,.]+", words)[0] for words in shown]
    assert numbers == ["999", "1234", "5.6", "123", "1.2"]
    assert not any("M" in words or "k" in words for words in shown)


def test_a_card_is_read_without_pictures_and_html():
    assert readable("<h2>Usage</h2>Do<br>this <a href='x'>link</a>") == "## Usage\n\nDo\n\nthis link"
    assert readable("a ![alt](x.png) b [![badge](y(1).svg)](z) c") == "a  b  c"
    assert readable("```\n<b>kept</b> ![kept](x)\n```") == "```\n<b>kept</b> ![kept](x)\n```"
    assert readable("a <!-- hidden") == "a"
    assert readable("1 < 2 and 3 > 2") == "1 < 2 and 3 > 2"
