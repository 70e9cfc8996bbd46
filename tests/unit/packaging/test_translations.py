"""Every sentence that people can see is in every catalogue, and translated."""

import ast
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from string import Formatter

import pytest
import translations
from babel.messages.extract import extract
from steps import ROOT

from models_registry.catalogue import load

MODULES = sorted((ROOT / "app").rglob("*.py"))
SHOWN = {
    "setText", "setToolTip", "setAccessibleName", "setAccessibleDescription", "setWindowTitle",
    "setPlaceholderText", "setInformativeText", "setStatusTip", "addAction", "addButton", "addMenu", "QLabel",
    "QPushButton", "QAction", "label", "announce", "Offer", "show_offer", "set_notice", "set_placeholder",
    "UserError", "print", "show_progress", "input",
}  # fmt: skip
SAID_IN_ARGUMENTS = {"help", "description", "epilog"}


def name(call: ast.AST) -> str:
    function = call.func if isinstance(call, ast.Call) else None
    return getattr(function, "attr", "") or getattr(function, "id", "")


def is_translated(node: ast.AST) -> bool:
    return name(node) in {"_", "plural"}


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def run_at_import(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what is evaluated when a module is imported: all but the bodies of functions."""
    yield node
    for field, value in ast.iter_fields(node):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and field == "body":
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from run_at_import(child)


def words(node: ast.AST) -> Iterator[str]:
    """Yield the words of an expression that reach the screen as they stand."""
    if is_translated(node):
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield from re.findall(r"[^\W\d_]{2,}", node.value.replace("Fireside", ""))
    elif isinstance(node, ast.JoinedStr | ast.BinOp | ast.IfExp | ast.BoolOp):
        for child in ast.iter_child_nodes(node):
            yield from words(child)


@pytest.fixture(params=translations.catalogues(), ids=lambda path: path.parent.parent.name)
def path(request) -> Path:
    return request.param


@pytest.fixture(scope="module")
def messages():
    return translations.extracted()


def test_simplified_chinese_is_there():
    assert "zh_CN" in [path.parent.parent.name for path in translations.catalogues()]


def test_every_sentence_is_translated(path, messages):
    """If this fails: `dev.py translate`, then translate what it names."""
    catalogue = translations.updated(translations.read(path), messages)
    assert [message.id for message in translations.untranslated(catalogue)] == []


def test_what_is_filled_in_is_the_same_in_every_language(path):
    def fields(text: str) -> set[str | None]:
        return {field for _text, field, _form, _conversion in Formatter().parse(text) if field is not None}

    for message in translations.read(path):
        if not message.pluralizable and message.string:
            assert fields(message.id) == fields(message.string), message.id


def test_what_is_compiled_is_what_the_catalogue_says(path):
    assert path.with_suffix(".mo").read_bytes() == translations.compiled(translations.read(path))


def test_writing_a_catalogue_anew_changes_nothing(path, messages, tmp_path):
    once = translations.updated(translations.read(path), messages)
    file = tmp_path / path.relative_to(translations.TRANSLATIONS)
    file.parent.mkdir(parents=True)
    file.write_bytes(translations.source(once))
    again = translations.updated(translations.read(file), messages)
    assert translations.source(again) == file.read_bytes()
    assert translations.compiled(again) == translations.compiled(once)


def test_a_new_language_begins_as_an_empty_file(messages, tmp_path):
    file = tmp_path / "fr" / "LC_MESSAGES" / "fireside.po"
    file.parent.mkdir(parents=True)
    file.touch()
    made = translations.updated(translations.read(file), messages)
    assert len(translations.untranslated(made)) == len(messages) > 200
    assert b"nplurals=2; plural=(n > 1);" in translations.source(made)


def test_translations_and_comments_outlive_an_update(messages, tmp_path):
    file = tmp_path / "fr" / "LC_MESSAGES" / "fireside.po"
    file.parent.mkdir(parents=True)
    file.write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
        '# said of chats\nmsgid "Today"\nmsgstr "Aujourd’hui"\n\n'
        '#, fuzzy\nmsgid "Yesterday"\nmsgstr "Demain"\n\n'
        'msgid "Gone from the code"\nmsgstr "Disparu"\n',
        encoding="utf-8",
    )
    made = translations.updated(translations.read(file), messages)
    assert (made["Today"].string, made["Today"].user_comments) == ("Aujourd’hui", ["said of chats"])
    assert made["Yesterday"] in translations.untranslated(made)
    assert "Gone" not in translations.source(made).decode()
    assert b"Demain" not in translations.compiled(made)


def test_sentences_with_a_count_are_found_with_both_forms():
    code = BytesIO(b'plural("{count} chat", "{count} chats", len(chats))')
    (found,) = extract("python", code, translations.KEYWORDS)
    assert found[1] == ("{count} chat", "{count} chats")


def test_every_sentence_in_the_code_is_found(messages):
    written = set()
    for module in MODULES:
        for call in filter(is_translated, ast.walk(tree(module))):
            for text in call.args[:2]:  # the third argument of plural is the count
                assert isinstance(text, ast.Constant), f"{module}:{call.lineno}: Babel cannot read this"
                written.add(text.value)
    written |= {entry.good_at for entry in load().entries}
    found = {text for m in messages for text in ([m.id] if isinstance(m.id, str) else m.id)}
    assert written == found


def test_nothing_is_translated_before_the_language_is_known():
    early = [
        f"{module}:{node.lineno}"
        for module in MODULES
        for node in run_at_import(tree(module))
        if is_translated(node)
    ]
    assert early == []


def test_no_words_reach_people_untranslated():
    bare = []
    for module in MODULES:
        for call in ast.walk(tree(module)):
            if not isinstance(call, ast.Call):
                continue
            # What an error offers to do has a name, not words.
            said = call.args[:2] if name(call) == "UserError" else call.args if name(call) in SHOWN else []
            said = said + [keyword.value for keyword in call.keywords if keyword.arg in SAID_IN_ARGUMENTS]
            bare += [f"{module}:{call.lineno} {word}" for part in said for word in words(part)]
    assert bare == []
