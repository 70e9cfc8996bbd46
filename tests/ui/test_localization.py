"""The window in Chinese: Fireside's own words, Qt's, months and sizes."""

from datetime import datetime
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QTranslator

from app.domain import language
from app.domain.chat import Chat
from app.ui.empty_state import _starters
from app.ui.localization import localize
from app.ui.sidebar.chats import ChatList


@pytest.fixture
def speak(qapp, monkeypatch):
    """Start in the language of a locale."""

    def begin(locale: str) -> None:
        for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("LANG", locale)
        localize(qapp)

    yield begin
    for translator in qapp.findChildren(QTranslator):
        qapp.removeTranslator(translator)
        translator.deleteLater()
    language.install(Path("/nowhere"), ["en"])


def qt_says() -> str:
    return QCoreApplication.translate("QFileDialog", "File &name:")


@pytest.mark.parametrize(
    ("locale", "own", "qts"),
    [
        ("zh_CN.UTF-8", "新聊天", "文件名称(&N)："),
        ("en_US.UTF-8", "New chat", "File &name:"),
        ("C.UTF-8", "New chat", "File &name:"),
        ("de_DE.UTF-8", "New chat", "File &name:"),  # one language in one window
    ],
)
def test_qts_dialogs_speak_the_language_of_the_window(speak, locale, own, qts):
    speak(locale)
    assert (language._("New chat"), qt_says()) == (own, qts)


def test_months_are_written_as_the_language_of_the_window_writes_them(speak):
    speak("zh_CN.UTF-8")
    chats = ChatList(lambda: datetime(2026, 3, 18, 12).timestamp())
    chats.set_chats(
        [
            Chat(1, "旧", updated_at=datetime(2026, 2, 3).timestamp()),
            Chat(2, "更旧", updated_at=datetime(2025, 11, 9).timestamp()),
            Chat(3, "刚才", updated_at=datetime(2026, 3, 18, 11).timestamp()),
        ]
    )
    said = [chats.index(row).data() for row in range(chats.rowCount())]
    assert said == ["今天", "刚才", "2月", "旧", "2025年11月", "更旧"]


@pytest.mark.parametrize("locale", ["C.UTF-8", "zh_CN.UTF-8"])
def test_every_way_to_begin_has_a_part_to_type_over(speak, locale):
    speak(locale)
    assert [marked for _icon, _name, text, marked in _starters() if text.count(marked) != 1] == []


def test_a_window_in_chinese_has_no_english_words(speak, start):
    speak("zh_CN.UTF-8")
    window = start().show().window
    for text in (
        window.page.composer._text.placeholderText(),
        window.sidebar._search.placeholderText(),
        window.page.bar.pill.accessibleName(),
        *(window.actions_by_name[name].text() for name in ("new-chat", "quit", "zoom-in")),
    ):
        assert any("\u4e00" <= character <= "\u9fff" for character in text), text
