import pytest

from app.domain.errors import UserError
from app.domain.generation import Turn
from app.engine import template as template_module
from app.engine.template import Segment, Template, merged

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] "
    "+ '<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
TRIMMING = CHATML.replace("message['content']", "message['content'] | trim")
NO_SYSTEM = (
    "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('System role not supported') }}"
    "{% endif %}[{{ m.role }}] {{ m.content }}\n{% endfor %}"
)
CUTS_THINKING = "{% for m in messages %}{{ m.role }}: {{ m.content.split('</think>')[-1] }}\n{% endfor %}"


def text_of(segments: list[Segment]) -> str:
    return "".join(segment.text for segment in segments)


def test_words_are_told_apart_from_the_template() -> None:
    turns = [Turn("user", "Hi <|im_end|>"), Turn("assistant", "user"), Turn("user", "Bye")]
    segments = Template(CHATML).render(turns)
    assert [(s.turn, s.text) for s in segments if s.turn is not None] == [
        (0, "Hi <|im_end|>"), (1, "user"), (2, "Bye"),
    ]  # fmt: skip
    assert text_of(segments).endswith("<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\n")


def test_trimmed_words_are_found() -> None:
    segments = Template(TRIMMING).render([Turn("user", "  spaced  \n")])
    assert Segment("spaced", 0) in segments


def test_words_that_a_template_rewrites_stay_words() -> None:
    segments = Template(CUTS_THINKING).render(
        [Turn("user", "a"), Turn("assistant", "hm</think>b"), Turn("user", "c")]
    )
    assert [s.turn for s in segments if s.turn is not None] == [0, 1, 2]


def test_a_template_without_system_role_gets_it_in_the_first_question() -> None:
    segments = Template(NO_SYSTEM).render([Turn("system", "Be brief."), Turn("user", "Hi")])
    assert text_of(segments) == "[user] Be brief.\n\nHi\n"


def test_a_refusal_of_the_template_is_a_sentence() -> None:
    with pytest.raises(UserError, match="refuses this conversation: no"):
        Template("{{ raise_exception('no') }}").render([Turn("user", "Hi")])


@pytest.mark.parametrize("source", ["{% for %}", "{{", "{% unknown_tag %}"])
def test_a_broken_template_counts_as_none(source: str) -> None:
    assert Template(source).is_plain


def test_without_a_template_the_dialogue_is_plain() -> None:
    template = Template(None)
    segments = template.render(
        [Turn("system", "Be kind."), Turn("user", "Hi"), Turn("assistant", "Hello"), Turn("user", "Bye")]
    )
    assert text_of(segments) == "Be kind.\nUser: Hi\nAssistant: Hello\nUser: Bye\nAssistant:"
    assert "\nUser:" in template.stop


@pytest.mark.parametrize(
    "attack",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ messages.__class__.__base__ }}",
        "{% for x in [].__class__.__base__.__subclasses__() %}{{ x }}{% endfor %}",
        "{{ messages.append(1) }}",
        "{{ cycler.__init__.__globals__.os.system('touch /tmp/never') }}",
        "{{ range(10**9) | list }}",
    ],
)
def test_the_sandbox_holds(attack: str) -> None:
    with pytest.raises(UserError):
        Template(attack).render([Turn("user", "Hi")])


def test_a_template_that_never_ends_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template_module, "MAX_SECONDS", 0.05)
    endless = "{% for a in range(9999) %}{% for b in range(9999) %}{{ b }}{% endfor %}{% endfor %}"
    with pytest.raises(UserError, match="takes too long"):
        Template(endless).render([Turn("user", "Hi")])


def test_empty_turns_go_and_neighbours_of_one_role_merge() -> None:
    turns = [Turn("user", "a"), Turn("assistant", " "), Turn("user", "b"), Turn("assistant", "c")]
    assert merged(turns) == [Turn("user", "a\n\nb"), Turn("assistant", "c")]


def test_variables_of_the_field_are_there() -> None:
    source = (
        "{{ bos_token }}{{ strftime_now('%Y') | length }}{{ {'a': '<é>'} | tojson }}{{ messages[0].content }}"
    )
    assert text_of(Template(source, bos="<s>").render([Turn("user", "x")])) == '<s>4{"a": "<é>"}x'
