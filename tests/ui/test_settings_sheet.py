"""The settings as a person changes them, and the list of connections, over a real hub on this computer."""

from datetime import UTC, datetime, timedelta
from threading import Event

import pytest
from loopback_hub import GOOD_TOKEN, LoopbackHub
from loopback_proxy import LoopbackProxy
from PySide6.QtCore import QSettings, Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QLineEdit, QPushButton

from app.domain import language
from app.domain.retention import Retention
from app.services.contacts import Contact, Purpose
from app.services.discovery import Query
from app.ui.appearance import Scheme
from app.ui.assets import asset
from app.ui.localization import localize
from app.ui.network_sheet import NetworkSheet, entries
from app.ui.settings.sheet import SettingsSheet
from app.ui.theme import DARK, LIGHT

GENERAL, NETWORK, OTHERS, MEMORY = range(4)
TOKEN = "hf_abcdefghijklmnopqrstuvwxyz1234"


@pytest.fixture
def hub():
    with LoopbackHub() as made:
        yield made
        assert made.trapped == []
        assert made.violations == []


@pytest.fixture
def open_settings(fireside, qtbot):
    def open_at(number):
        fireside.window.actions_by_name["settings"].trigger()
        sheet = fireside.window.findChild(SettingsSheet)
        qtbot.mouseClick(sheet.tabs[number], Qt.MouseButton.LeftButton)
        page = sheet.page()
        qtbot.waitUntil(lambda: page.complete and page.column.itemAt(0).widget().isVisible())
        return page

    yield open_at
    fireside.window.appearance.set_scheme(Scheme.SYSTEM)


def kept(fireside) -> QSettings:
    return QSettings(str(fireside.home / "window.ini"), QSettings.Format.IniFormat)


def words(page) -> str:
    shown = [*page.findChildren(QLabel), *page.findChildren(QPushButton)]
    return "\n".join(each.text() for each in shown if each.isVisibleTo(page))


def write(qtbot, line: QLineEdit, text: str) -> None:
    line.setFocus()
    line.selectAll()
    qtbot.keyClick(line, Qt.Key.Key_Delete)
    qtbot.keyClicks(line, text)
    qtbot.keyClick(line, Qt.Key.Key_Return)


def test_by_keyboard_from_the_shortcut_and_back(fireside, qtbot):
    window = fireside.window
    fireside.composer.setFocus()
    window.actions_by_name["settings"].trigger()
    sheet = window.findChild(SettingsSheet)
    assert window.actions_by_name["settings"].shortcut().toString() == "Ctrl+,"
    assert sheet.tabs[GENERAL].hasFocus()
    qtbot.waitUntil(lambda: sheet.page().complete and sheet.page().names.switch.isVisible())
    seen = set()
    for _number in range(40):
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        seen.add(QApplication.focusWidget())
        assert sheet.isAncestorOf(QApplication.focusWidget())
    page = sheet.page()
    assert {page.scheme.buttons[Scheme.SYSTEM], page.names.switch, page.text_size.larger} <= seen
    sheet.tabs[GENERAL].setFocus()
    qtbot.keyClick(sheet.tabs[GENERAL], Qt.Key.Key_Down)
    assert sheet.page().accessibleName() == "Downloads and network"
    window.actions_by_name["settings"].trigger()
    assert len(window.findChildren(SettingsSheet)) == 1
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not window.findChildren(SettingsSheet))
    assert fireside.composer.isAncestorOf(QApplication.focusWidget())


@pytest.mark.parametrize("number", range(4))
def test_every_control_has_a_name(open_settings, number):
    page = open_settings(number)
    controls = [*page.findChildren(QAbstractButton), *page.findChildren(QLineEdit)]
    assert controls or number == OTHERS
    assert all(each.accessibleName() or each.text() for each in controls)


def test_looks_hold_at_once_and_at_the_next_start(start, open_settings, fireside, qtbot):
    page, window = open_settings(GENERAL), fireside.window
    page.scheme.buttons[Scheme.DARK].click()
    assert window.appearance.palette is DARK
    assert kept(fireside).value("scheme") == "dark"
    page.text_size.larger.click()
    assert window.appearance.zoom == pytest.approx(1.1)
    assert float(kept(fireside).value("zoom")) == pytest.approx(1.1)
    assert "110 %" in words(page)
    page.scheme.buttons[Scheme.LIGHT].click()
    assert window.appearance.palette is LIGHT
    page.scheme.buttons[Scheme.DARK].click()
    again = start()
    assert again.window.appearance.palette is DARK
    again.window.appearance.set_scheme(Scheme.SYSTEM)


def test_the_language_holds_from_the_next_start(open_settings, fireside, qapp):
    page = open_settings(GENERAL)
    page.language.buttons["zh_CN"].click()
    chosen = kept(fireside).value("language")
    try:
        localize(qapp, chosen)
        assert language.current() == "zh_CN"
        localize(qapp, "")
        assert language.current() == "en"  # what the environment says
    finally:
        language.install(asset("translations"), ["en"])


def test_chats_are_named_or_not(open_settings, fireside, qtbot):
    page = open_settings(GENERAL)
    qtbot.waitUntil(lambda: page.names.switch.isChecked())
    page.names.switch.click()
    qtbot.waitUntil(lambda: not fireside.preferences.name_chats().result(10))


def test_a_connection_that_works(open_settings, fireside, hub, qtbot):
    page = open_settings(NETWORK)
    write(qtbot, page.mirror.line, hub.endpoint)
    qtbot.waitUntil(lambda: page.consent.isVisibleTo(page))
    assert fireside.hubs.settings().endpoint == hub.endpoint
    page.test.click()
    assert page.test.text() == "Cancel"
    qtbot.waitUntil(lambda: "The mirror answers" in words(page))
    write(qtbot, page.token.line, GOOD_TOKEN)
    qtbot.waitUntil(lambda: "There is a token" in words(page))
    page.test.click()
    qtbot.waitUntil(lambda: "Your access token is not sent to it." in words(page))
    page.consent.switch.click()
    qtbot.waitUntil(lambda: fireside.hubs.settings().token_for_mirror)
    page.test.click()
    qtbot.waitUntil(lambda: "It knows you as ada." in words(page))


def test_connections_that_do_not_work_say_the_next_step(open_settings, fireside, hub, qtbot):
    page = open_settings(NETWORK)
    write(qtbot, page.mirror.line, hub.endpoint)
    with hub.darkness():
        page.test.click()
        qtbot.waitUntil(lambda: "cannot be reached" in words(page))
    assert "go back to the usual hub" in words(page)
    page.consent.switch.click()
    write(qtbot, page.token.line, "hf_of_nobody")
    page.test.click()
    qtbot.waitUntil(lambda: "does not accept your access token" in words(page))
    assert "Make a new one" in words(page)
    with LoopbackProxy() as proxy:
        proxy.refuses = True
        write(qtbot, page.proxy.line, proxy.address)
        qtbot.waitUntil(lambda: page.proxy.line.text() == f"http://{proxy.address}")
        page.test.click()
        qtbot.waitUntil(lambda: "The proxy does not work." in words(page))
    assert "whether it wants a password" in words(page)


def test_a_test_can_be_given_up(open_settings, hub, qtbot):
    page = open_settings(NETWORK)
    write(qtbot, page.mirror.line, hub.endpoint)
    qtbot.waitUntil(lambda: page.consent.isVisibleTo(page))
    asked, go_on = Event(), Event()

    def hold(_request) -> None:
        asked.set()
        go_on.wait(10)

    hub.before = hold
    page.test.click()
    qtbot.waitUntil(asked.is_set)
    page.test.click()
    assert page.test.text() == "Test connection"
    assert "Asking" not in words(page)
    hub.before = None
    go_on.set()
    page.test.click()
    qtbot.waitUntil(lambda: "The mirror answers" in words(page))


def test_what_makes_no_sense_is_said_beside_it_and_changes_nothing(open_settings, fireside, hub, qtbot):
    fireside.network.change(endpoint=hub.endpoint).result(10)
    before = fireside.hubs.settings()
    page = open_settings(NETWORK)
    qtbot.waitUntil(lambda: page.mirror.line.text() == hub.endpoint)
    write(qtbot, page.mirror.line, "not an address")
    qtbot.waitUntil(lambda: "is not the address of a hub" in page.mirror.problem)
    write(qtbot, page.proxy.line, "socks9://x")
    qtbot.waitUntil(lambda: "is not the address of a proxy" in page.proxy.problem)
    write(qtbot, page.token.line, "two words")
    qtbot.waitUntil(lambda: "is not an access token" in page.token.problem)
    write(qtbot, page.limit.line, "fast")
    assert "is not a number" in page.limit.problem
    write(qtbot, page.limit.line, "0.001")
    assert "too slow" in page.limit.problem
    assert fireside.hubs.settings() == before
    assert fireside.hubs.token() == ""
    assert fireside.downloads.throttle.limit == 0
    page.test.click()  # what would be asked is not what stands there
    qtbot.waitUntil(lambda: fireside.window.focusWidget() is page.mirror.line)
    assert hub.requests == []
    write(qtbot, page.mirror.line, hub.endpoint)
    assert page.mirror.problem == ""


def test_a_limit_holds_at_once(open_settings, fireside, qtbot):
    page = open_settings(NETWORK)
    write(qtbot, page.limit.line, "2.5")
    qtbot.waitUntil(lambda: fireside.downloads.throttle.limit == 2_500_000)
    write(qtbot, page.limit.line, "")
    qtbot.waitUntil(lambda: fireside.downloads.throttle.limit == 0)


def test_no_token_is_shown_again(open_settings, fireside, qtbot):
    page = open_settings(NETWORK)
    assert page.token.line.echoMode() is QLineEdit.EchoMode.Password
    write(qtbot, page.token.line, TOKEN)
    qtbot.waitUntil(lambda: "it ends with “1234”" in words(page))
    assert "forgotten when Fireside is closed" in words(page)  # no keyring here
    assert page.token.line.text() == ""
    page.token.line.setFocus()
    qtbot.keyClick(page.token.line, Qt.Key.Key_Return)
    fireside.settle()
    assert fireside.hubs.token() == TOKEN  # an empty line is no wish to forget it
    assert TOKEN not in words(page)
    assert TOKEN[:8] not in words(page)
    page.forget.click()
    qtbot.waitUntil(lambda: "There is a token" not in words(page))
    assert fireside.hubs.token() == ""


def test_what_is_refused_after_the_sheet_has_gone_is_told(open_settings, fireside, qtbot):
    page = open_settings(NETWORK)
    page.proxy.line.setFocus()
    qtbot.keyClicks(page.proxy.line, "socks9://x")
    qtbot.keyClick(page.proxy.line, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not fireside.window.findChildren(SettingsSheet))
    qtbot.waitUntil(lambda: "is not the address of a proxy" in words(fireside.page.notices))


def test_other_apps_are_allowed_and_no_longer(open_settings, fireside, smollm2, tmp_path, monkeypatch, qtbot):
    home = tmp_path / "person"
    folder = home / ".lmstudio" / "models" / "maker" / "small"
    folder.mkdir(parents=True)
    (folder / "small-Q4_1.gguf").symlink_to(smollm2)
    monkeypatch.setenv("HOME", str(home))
    page = open_settings(OTHERS)
    qtbot.waitUntil(lambda: "lm-studio" in page.switches)
    switch = page.switches["lm-studio"].switch
    assert not switch.isChecked()
    assert "Ollama" in words(page)  # not found
    switch.click()
    qtbot.waitUntil(lambda: [each.name for each in fireside.adoption.scan().result(10)] != [])
    switch.click()
    qtbot.waitUntil(lambda: fireside.adoption.scan().result(10) == [])


def test_memory_and_disk(open_settings, fireside, qtbot):
    page = open_settings(MEMORY)
    page.idle.buttons[None].click()
    assert fireside.keeping.value == Retention(None, two=True)
    page.two.switch.click()
    qtbot.waitUntil(lambda: fireside.keeping.value == Retention(None, two=False))
    qtbot.waitUntil(lambda: "There are none now." in words(page))
    assert not page.clear.isEnabled()
    write(qtbot, page.budget.line, "-1")
    assert "no room" in page.budget.problem
    write(qtbot, page.budget.line, "1.5")
    qtbot.waitUntil(lambda: fireside.snapshots.usage().result(10).budget == 1_500_000_000)


def test_snapshots_are_deleted_and_what_that_frees_is_said(open_settings, fireside, qtbot):
    page = open_settings(MEMORY)
    qtbot.waitUntil(lambda: "There are none now." in words(page))
    fireside.snapshots.set_budget(10**9).result(10)
    folder = fireside.home / "snapshots"
    folder.mkdir(exist_ok=True)
    (folder / "one.state").write_bytes(bytes(2_000_000))
    page.refresh()
    qtbot.waitUntil(lambda: "frees 2 MB" in page.clear.text())
    page.clear.click()
    qtbot.waitUntil(lambda: "2 MB are free again" in words(page))
    assert fireside.snapshots.usage().result(10).count == 0


def test_the_mark_and_the_list_follow_what_is_asked(fireside, hub, qtbot):
    window, mark = fireside.window, fireside.window.sidebar.mark
    assert mark.words == "Offline"
    mark.click()
    sheet = window.findChild(NetworkSheet)
    qtbot.waitUntil(lambda: "There has been none yet." in words(sheet))
    hub.add("maker/Secret-GGUF", {"a-Q4_0.gguf": bytes(100)})
    fireside.network.change(endpoint=hub.endpoint).result(10)
    fireside.discovery.search(Query("my wish")).result(10)
    fireside.discovery.look("maker/Secret-GGUF").result(10)
    qtbot.waitUntil(lambda: sheet.rows.rowCount() == 2)
    qtbot.waitUntil(lambda: mark.words.startswith("Model page"))
    spoken = sheet.rows.index(1).data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken.startswith("Searched for models, ")
    assert hub.endpoint.removeprefix("http://") in spoken
    everything = " ".join(
        sheet.rows.index(row).data(Qt.ItemDataRole.AccessibleTextRole) for row in range(sheet.rows.rowCount())
    )
    assert "wish" not in everything
    assert "Secret" not in everything
    assert "There has been none yet." not in words(sheet)


def test_the_list_has_what_earlier_starts_asked(start, hub, qtbot):
    first = start()
    first.network.change(endpoint=hub.endpoint).result(10)
    first.network.test().answer.result(10)
    first.close()
    again = start().show()
    assert again.window.sidebar.mark.words == "Offline"
    again.window.actions_by_name["network"].trigger()
    sheet = again.window.findChild(NetworkSheet)
    qtbot.waitUntil(lambda: sheet.rows.rowCount() == 1)
    assert "None since Fireside was started." in words(sheet)


def test_the_same_within_a_minute_is_one_entry():
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    contacts = [
        Contact("hub", Purpose.HEADER, noon + timedelta(seconds=second), 1000, "done") for second in range(50)
    ]
    contacts += [Contact("cdn", Purpose.HEADER, noon, 7, "offline"), Contact("hub", Purpose.FILE, noon, 1)]
    found = [(each.host, each.purpose, each.count, each.received) for each in entries(contacts)]
    assert found == [
        ("hub", Purpose.FILE, 1, 1),
        ("cdn", Purpose.HEADER, 1, 7),
        ("hub", Purpose.HEADER, 50, 50_000),
    ]
    assert "50 requests" in entries(contacts)[-1].facts
