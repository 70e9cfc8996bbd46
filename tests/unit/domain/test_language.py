"""Which language people read, and what a sentence becomes in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import translations
from hypothesis import given
from hypothesis import strategies as st

from app.domain import language
from app.domain.errors import UserError
from app.domain.language import _, of_data, plural
from app.ui.assets import asset
from models_registry.catalogue import load

NAMES = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
MAC = ["zh-Hans-CN", "zh-CN", "zh-Hans", "zh", "en-Latn-CN", "en-CN", "en"]


@pytest.fixture(autouse=True)
def _english_afterwards() -> Iterator[None]:
    yield
    language.install(Path("/nowhere"), ["en"])


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch):
    def become(**named: str) -> None:
        for name in NAMES:
            monkeypatch.delenv(name, raising=False)
        for name, value in named.items():
            monkeypatch.setenv(name, value)

    become()
    return become


def spoken(languages: list[str] | None = None, otherwise: list[str] | None = None) -> str:
    language.install(asset("translations"), languages, otherwise=otherwise or [])
    assert _("New chat") == {"en": "New chat", "zh_CN": "新聊天"}[language.current()]
    return language.current()


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh_CN"),
        ({"LANG": "zh_CN"}, "zh_CN"),
        ({"LANG": "zh_CN.GB18030@pinyin"}, "zh_CN"),
        ({"LANG": "zh_SG.UTF-8"}, "zh_CN"),
        ({"LANG": "zh_TW.UTF-8"}, "en"),
        ({"LANG": "zh_HK.UTF-8"}, "en"),
        ({"LANG": "en_GB.UTF-8"}, "en"),
        ({"LANG": "C"}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "POSIX"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "xx"}, "en"),
        ({"LANG": "../../etc"}, "en"),
        ({"LANG": "."}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "zh_CN.UTF-8"}, "zh_CN"),
        ({"LANG": "zh_CN.UTF-8", "LC_MESSAGES": "en_US.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "en_US.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": ""}, "zh_CN"),
        ({"LANG": "en_US.UTF-8", "LANGUAGE": "zh_CN:en"}, "zh_CN"),
        ({"LANG": "zh_CN.UTF-8", "LANGUAGE": "en:zh_CN"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LANGUAGE": "de:fr"}, "zh_CN"),
        ({"LANG": "C.UTF-8", "LANGUAGE": "zh_CN"}, "en"),
    ],
)
def test_the_environment_decides(environment, named: dict[str, str], expected: str) -> None:
    environment(**named)
    assert spoken() == expected


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (MAC, "zh_CN"),
        (["zh-Hans-SG", "zh-SG", "zh-Hans", "zh"], "zh_CN"),
        (["zh-Hans"], "zh_CN"),
        (["zh-Hant-TW", "zh-TW", "zh-Hant", "zh"], "en"),
        (["zh-Hant-TW", "zh-TW", "zh-Hant", "zh", "zh-Hans-CN"], "zh_CN"),
        (["en-Latn-US", "en-US", "en-Latn", "en", "zh-Hans-CN"], "en"),
        (["de-Latn-DE", "de-DE", "de", "zh-Hans-CN"], "zh_CN"),
        (["C"], "en"),
        ([], "en"),
    ],
)
def test_the_desktop_decides_where_the_environment_does_not(environment, tags, expected) -> None:
    assert spoken(otherwise=tags) == expected
    assert spoken(tags) == expected


@pytest.mark.parametrize("named", ["en_US.UTF-8", "C.UTF-8"])
def test_the_environment_comes_before_the_desktop(environment, named: str) -> None:
    environment(LANG=named)
    assert spoken(otherwise=MAC) == "en"


@given(st.lists(st.text(max_size=20), max_size=4))
def test_no_name_of_a_language_can_break_the_start(names: list[str]) -> None:
    language.install(asset("translations"), ["".join(c for c in name if c != "\0") for name in names])
    assert _("New chat")


def test_a_language_can_be_chosen_again(environment) -> None:
    assert [spoken(["zh_CN"]), spoken(["en"]), spoken(["zh_CN"])] == ["zh_CN", "en", "zh_CN"]


def test_chinese_has_one_form_for_every_count(tmp_path: Path) -> None:
    catalogue = translations.Undated(locale="zh_CN", fuzzy=False)
    catalogue.add(("{count} chat", "{count} chats"), ("{count} 个聊天",))
    file = tmp_path / "zh_CN" / "LC_MESSAGES" / "fireside.mo"
    file.parent.mkdir(parents=True)
    file.write_bytes(translations.compiled(catalogue))
    language.install(tmp_path, ["zh_CN"])
    said = [plural("{count} chat", "{count} chats", count).format(count=count) for count in (0, 1, 2, 5)]
    assert said == ["0 个聊天", "1 个聊天", "2 个聊天", "5 个聊天"]
    language.install(tmp_path, ["en"])
    said = [plural("{count} chat", "{count} chats", count).format(count=count) for count in (0, 1, 2)]
    assert said == ["0 chats", "1 chat", "2 chats"]


def test_sentences_follow_each_other_as_the_language_writes_them() -> None:
    error = UserError("磁盘已满。", "请腾出一些空间。")
    assert str(error) == "磁盘已满。 请腾出一些空间。"
    language.install(asset("translations"), ["zh_CN"])
    assert str(error) == "磁盘已满。请腾出一些空间。"
    assert str(UserError("{first}", "{second}")) == "{first}{second}"
    assert str(UserError("磁盘已满。")) == "磁盘已满。"


def test_the_terminal_speaks_chinese(environment, capsys) -> None:
    from app.main import main

    environment(LANG="zh_CN.UTF-8")
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "在你自己的电脑上" in capsys.readouterr().out


def test_what_models_are_good_at_is_said_in_the_language_too():
    sentences = [entry.good_at for entry in load().entries]
    assert [of_data(sentence) for sentence in sentences] == sentences
    spoken(["zh_CN"])
    assert not {of_data(sentence) for sentence in sentences} & set(sentences)
