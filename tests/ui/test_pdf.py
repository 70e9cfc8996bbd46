"""A chat on pages."""

import re
from pathlib import Path

import pytest

from app.domain.chat import Chat, Message, Role
from app.domain.whole_chat import WholeChat
from app.services.exports import printed
from app.ui.pdf import print_pdf


@pytest.mark.usefixtures("qapp")
def test_a_pdf_has_pages(tmp_path: Path) -> None:
    code = "Use `fire`.\n\n```python\nwarm = True\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n![x](http://example.org/x.png)"
    messages = (
        Message(1, 1, None, Role.USER, "line\n" * 200),
        Message(2, 1, 1, Role.ASSISTANT, code, reasoning="先烧水。", reasoning_seconds=3),
    )
    path = tmp_path / "a.pdf"
    print_pdf(printed.written(WholeChat(Chat(1, "Tea", 2), messages)), "Tea", path)
    content = path.read_bytes()
    assert content.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type\s*/Page\b", content)) > 2
