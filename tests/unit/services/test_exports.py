"""What a chat looks like in each format, for people and for programs."""

import json
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.chat import Chat, Message, ModelIdentity, Role, Status
from app.domain.whole_chat import WholeChat
from app.services.exports import markdown, page, plain, printed, training
from app.services.exports.formats import Format
from app.services.exports.names import file_name, unused
from app.services.imports import sharegpt
from app.ui.assets import asset

QWEN = ModelIdentity("Qwen 3")
STYLE = asset("formats/page.css").read_text(encoding="utf-8")
SAID = "Use `fire`.\n\n```python\nwarm = True\n```\n"
WHOLE = WholeChat(
    Chat(1, "Tea\n& <b>", 4, system_prompt="Be brief."),
    (
        Message(1, 1, None, Role.USER, "How <i>do</i> I\nmake tea?", created_at=1.7e9),
        Message(2, 1, 1, Role.ASSISTANT, "Boil.", model=QWEN),
        Message(3, 1, 1, Role.ASSISTANT, SAID, model=QWEN, reasoning="Hm.\n\nTea.", reasoning_seconds=4),
        Message(4, 1, 3, Role.USER, "先烧水？"),
    ),
)


class Tags(HTMLParser):
    """Notes the tags of a page, and where they lead."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.add(tag)
        self.addresses += [
            value for name, value in attrs if name in ("href", "src", "srcset", "action", "style")
        ]
        assert not any(name.startswith("on") for name, _value in attrs)


def tags_of(text: str) -> Tags:
    found = Tags()
    found.feed(text)
    return found


def test_markdown() -> None:
    head, body = markdown.written(WHOLE).split("## Qwen 3\n")
    assert head.startswith("# Tea & <b>\n\n> **System prompt**\n> \n> Be brief.\n\n## You, 2023-11-1")
    assert head.endswith("\n\nHow <i>do</i> I\nmake tea?\n\n")
    assert body.startswith("\n> **Thought for 4 s**\n> \n> Hm.\n> \n> Tea.\n\nUse `fire`.\n\n```python\n")
    assert body.endswith("\n\n## You\n\n先烧水？\n")


def test_plain_text() -> None:
    text = plain.written(WHOLE)
    assert text.startswith("Tea & <b>\n\nSystem prompt:\nBe brief.\n")
    assert "Qwen 3:\nUse `fire`." in text
    assert "Boil." not in text


def test_a_page_needs_nothing_else_and_colours_code() -> None:
    text = page.written(WHOLE, STYLE)
    found = tags_of(text)
    assert "<title>Tea &amp; &lt;b&gt;</title>" in text
    assert "How &lt;i&gt;do&lt;/i&gt; I<br>\nmake tea?" in text
    assert '<span class="kc">True</span>' in text
    assert "<summary>Thought for 4 s</summary>" in text
    assert "@media print" in text
    assert "prefers-color-scheme: dark" in text
    assert not found.tags & {"script", "img", "link", "iframe"}
    assert not re.search(r"url\(|@import|http", STYLE)


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "![x](https://example.org/spy.png)",
    "[x](javascript:alert(1))",
    "[x](file:///etc/passwd)",
    "[x](//example.org/share)",
    '[x](https://example.org "a" onmouseover="b")',
    "```<script>\n</code></pre><script>alert(1)</script>\n```",
    "<details open ontoggle=alert(1)>",
    "[x]: data:text/html,<script>\n\n[x]",
    "\0<b>",
    ">" * 3000 + "x",
]
ALLOWED = {"html", "head", "meta", "title", "style", "body", "main", "article", "header", "b", "time", "div"}
ALLOWED |= {
    "h1",
    "p",
    "br",
    "a",
    "i",
    "em",
    "strong",
    "code",
    "pre",
    "span",
    "details",
    "summary",
    "blockquote",
}
ALLOWED |= {
    "ul",
    "ol",
    "li",
    "hr",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "s",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
}


@given(
    st.lists(st.sampled_from(HOSTILE) | st.text(alphabet='<>[]()!`"&=a\n', max_size=30), max_size=4).map(
        "".join
    )
)
def test_nothing_that_was_said_becomes_html(said: str) -> None:
    messages = (Message(1, 1, None, Role.USER, said), Message(2, 1, 1, Role.ASSISTANT, said, reasoning=said))
    whole = WholeChat(Chat(1, said, 2, system_prompt=said), messages)
    found = tags_of(page.written(whole, STYLE))
    assert found.tags <= ALLOWED
    assert all(each.startswith(("http://", "https://", "mailto:")) for each in found.addresses)
    assert tags_of(printed.written(whole)).tags <= ALLOWED


def test_training_data_comes_in_again() -> None:
    for format_ in (Format.SHAREGPT, Format.CHATML, Format.ALPACA):
        shown = list(training.lines(WHOLE, format_, branches=False))
        every = list(training.lines(WHOLE, format_, branches=True))
        assert (len(shown), len(every)) == (1, 2)
        back = sharegpt.chat(json.loads(shown[0]))
        assert [message.text for message in back.messages] == [WHOLE.messages[0].text, SAID.strip("\n")]
        assert back.chat.system_prompt == "Be brief."


def test_training_data_ends_before_what_broke_off() -> None:
    messages = [Message(1, 1, None, Role.USER, "a"), Message(2, 1, 1, Role.ASSISTANT, "b")]
    messages += [Message(3, 1, 2, Role.USER, "c"), Message(4, 1, 3, Role.ASSISTANT, "d", Status.STOPPED)]
    whole = WholeChat(Chat(1, "", 4), tuple(messages))
    (line,) = training.lines(whole, Format.ALPACA, branches=True)
    assert json.loads(line) == {"instruction": "a", "input": "", "output": "b"}
    alone = WholeChat(Chat(1, "", 1), tuple(messages[:1]))
    assert list(training.lines(alone, Format.CHATML, branches=True)) == []


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("../../etc/passwd", "etc passwd"),
        ('a<b>:"c"|?*', "a b c"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("  . ", "Chat"),
        ("\u202egnp.exe\0", "gnp.exe"),
        ("茶" * 100, "茶" * 40),
        ("line\nbreak", "line break"),
    ],
)
def test_names_that_every_system_takes(title: str, name: str) -> None:
    assert file_name(title) == name


@given(st.text())
def test_any_title_makes_a_name(title: str) -> None:
    name = file_name(title)
    assert 0 < len(name.encode()) <= 121
    assert not set(name) & set('<>:"/\\|?*\0\n')
    assert name == name.strip(". ")


def test_two_of_a_name() -> None:
    used = {"tea.md", "tea (2).md"}
    assert unused("tea", ".md", used.__contains__) == "tea (3).md"
