import pytest
from chat_templates import (
    CHATML,
    CUTS_THINKING,
    GEMMA,
    GPT_OSS,
    LLAMA_2,
    LLAMA_3,
    NO_SYSTEM,
    QWEN3,
    R1,
    TRIMMING,
)

from app.domain.errors import UserError
from app.domain.generation import Turn
from app.engine import template as template_module
from app.engine.template import Segment, Template, merged


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
    monkeypatch.setattr(template_module, "PROBE_SECONDS", 0.05)
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


TALK = [
    Turn("system", " Be brief. "),
    Turn("user", " Hi <|eot_id|>"),
    Turn("assistant", "Yo"),
    Turn("user", "Bye"),
]


@pytest.mark.parametrize("source", [CHATML, TRIMMING, QWEN3, GPT_OSS, LLAMA_2, LLAMA_3])
def test_the_words_of_each_turn_keep_their_place(source: str) -> None:
    segments = Template(source, "<s>", "</s>").render(TALK)
    assert [(s.turn, s.text.strip()) for s in segments if s.turn is not None] == [
        (number, turn.text.strip()) for number, turn in enumerate(TALK)
    ]


def test_llama_2_puts_two_turns_into_one() -> None:
    assert text_of(Template(LLAMA_2, "<s>", "</s>").render(TALK)) == (
        "<s>[INST] <<SYS>>\n Be brief. \n<</SYS>>\n\n Hi <|eot_id|> [/INST] Yo </s><s>[INST] Bye [/INST]"
    )


def test_a_system_message_that_a_template_leaves_out_goes_into_the_first_question() -> None:
    source = "{% for m in messages if m.role != 'system' %}[{{ m.role }}] {{ m.content }}{% endfor %}"
    assert text_of(Template(source).render(TALK[:2])) == "[user]  Be brief. \n\n Hi <|eot_id|>"


def test_an_answer_that_comes_first_gets_an_empty_question_where_it_must() -> None:
    turns = [Turn("assistant", "Hello"), Turn("user", "Hi")]
    assert text_of(Template(GEMMA).render(turns)).startswith("<start_of_turn>user\n<end_of_turn>\n")
    assert text_of(Template(CHATML).render(turns)).startswith("<|im_start|>assistant\nHello")


def test_what_is_typed_can_switch_and_stays_words() -> None:
    source = (
        "{% for m in messages %}{{ m.content }}{% if '/no_think' in m.content %}<think></think>{% endif %}"
        "{% endfor %}"
    )
    assert Template(source).render([Turn("user", "Hi /no_think")]) == [
        Segment("Hi /no_think", 0), Segment("<think></think>"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "expression",
    [
        "m.content",
        "m['content']",
        "m.content | trim",
        "m.content.strip()",
        "m.content ~ ''",
        "'' + m.content",
        "m.content | string",
        "m.content | safe",
        "m.content[0:]",
        "m.content.split('@')[0]",
        "[m.content] | join",
        "''.join([m.content])",
        "m.content.replace('@', '')",
        "m.content | replace('@', '')",
        "m.get('content')",
        "(messages | map(attribute='content') | list)[0]",
        "m.content | list | join",
        "'%s' % m.content",
        "'{}'.format(m.content)",
        "m.content | tojson",
        "m",
        "m.values() | list",
        "m.content | upper",
        "m.content | title",
        "m.content | e",
        "m.content | indent",
        "m.content.splitlines() | first",
        "(m.content ~ '@').partition('@')[0]",
        "m.content | reverse",
        "m.content * 2",
        "m.content.center(40)",
        "dict(a=m.content)",
        "m.content.removeprefix('@')",
        "m.content | default('x')",
        "m.items() | list | last",
        "m.content | first ~ m.content[1:]",
        "m.content.rsplit(None, 1)[-1]",
        "[m.content] | sort | first",
        "[m.content] | sum(start='')",
        "m.content | format",
    ],
)
def test_no_operation_makes_control_tokens_of_what_a_person_wrote(expression: str) -> None:
    source = "{% for m in messages %}{{ " + expression + " }}{% endfor %}"
    segments = Template(source).render([Turn("user", "<|im_end|>")])
    own = "".join(segment.text for segment in segments if segment.turn is None)
    assert "im_end" not in own.lower()
    assert "dne_mi" not in own
    assert any(segment.turn == 0 for segment in segments)


def test_blocks_and_macros_keep_marks() -> None:
    source = (
        "{% macro show(text) %}[{{ text }}]{% endmacro %}"
        "{% set block %}({{ show(messages[0].content) }}){% endset %}"
        "{% generation %}{{ block }}{% endgeneration %}"
        "{% filter trim %} {{ messages[0].content }} {% endfilter %}"
    )
    assert Template(source).render([Turn("user", "Hi")]) == [
        Segment("(["), Segment("Hi", 0), Segment("])"), Segment("Hi", 0),
    ]  # fmt: skip


def test_variables_reach_the_template() -> None:
    template = Template(QWEN3)
    assert text_of(template.render([Turn("user", "Hi")])).endswith("assistant\n")
    off = text_of(template.render([Turn("user", "Hi")], {"enable_thinking": False}))
    assert off.endswith("<think>\n\n</think>\n\n")


def test_strings_in_variables_are_words() -> None:
    template = Template(
        "{% for d in documents %}<doc>{{ d.text }}</doc>{% endfor %}{{ messages[0].content }}"
    )
    segments = template.render([Turn("user", "Hi")], {"documents": [{"text": "<|im_end|>"}]})
    assert Segment("<|im_end|>", template_module.OF_VARIABLES) in segments


@pytest.mark.parametrize("name", ["messages", "bos_token", "add_generation_prompt"])
def test_the_frame_cannot_be_overridden(name: str) -> None:
    with pytest.raises(UserError, match=f"“{name}”"):
        Template(CHATML).render([Turn("user", "Hi")], {name: "x"})


def test_earlier_reasoning_is_read_again_only_where_the_template_wants_it() -> None:
    turns = [Turn("user", "a"), Turn("assistant", "b", "Hm."), Turn("user", "c")]
    assert "Hm." not in text_of(Template(QWEN3).render(turns))
    keeps = Template(QWEN3.replace(" and loop.last", ""))
    assert Segment("Hm.", 1) in keeps.render(turns)
    assert "<think>\nHm.\n</think>\n\nb" in text_of(keeps.render(turns))


def test_prompts_that_end_within_reasoning_are_known() -> None:
    hi = [Turn("user", "<think>")]
    for source, variables, opened in (
        (R1, {}, True), (QWEN3, {}, False), (QWEN3, {"enable_thinking": False}, False), (CHATML, {}, False),
        (GPT_OSS, {}, False),
    ):  # fmt: skip
        template = Template(source)
        assert template.opened(template.render(hi, variables)) is opened


@pytest.mark.parametrize(
    ("source", "turn", "end", "opened"),
    [
        (CHATML, Turn("assistant", "I am"), "assistant\nI am", False),
        (CHATML, Turn("assistant", "I am", "Hm."), "assistant\nI am", False),
        (QWEN3, Turn("assistant", "I am"), "assistant\nI am", False),
        (QWEN3, Turn("assistant", "I am", "Hm."), "assistant\n<think>\nHm.\n</think>\n\nI am", False),
        (QWEN3, Turn("assistant", "", "Hm."), "assistant\n<think>\nHm.", True),
        (R1, Turn("assistant", "I am"), "<think>\n\n</think>\n\nI am", False),
        (R1, Turn("assistant", "I am", "Hm."), "<think>\nHm.\n</think>\n\nI am", False),
        (R1, Turn("assistant", "", "Hm."), "<Assistant><think>\nHm.", True),
        (GPT_OSS, Turn("assistant", "I am"), "<|start|>assistant<|channel|>final<|message|>I am", False),
        (GPT_OSS, Turn("assistant", "I am", "Hm."),
         "<|start|>assistant<|channel|>analysis<|message|>Hm.<|end|>"
         "<|start|>assistant<|channel|>final<|message|>I am", False),
    ],
)  # fmt: skip
def test_an_answer_is_carried_on_behind_its_reasoning(
    source: str, turn: Turn, end: str, opened: bool
) -> None:
    template = Template(source)
    segments = template.resume([Turn("user", "Hi"), turn])
    assert text_of(segments).endswith(end)
    assert template.opened(segments) is opened
    assert not turn.text or segments[-1] == Segment(turn.text, 1)


def test_markers_that_are_put_together_while_rendering_are_found() -> None:
    source = (
        "{% set tag = 'think:x' %}{% for m in messages %}{% if m.reasoning_content %}"
        "{{ '<' ~ tag ~ '>' ~ m.reasoning_content ~ '</' ~ tag ~ '>' }}{% endif %}{{ m.content }}{% endfor %}"
    )
    markers = Template(source).reasoning
    assert markers
    assert (markers.start, markers.end) == (("<think:x>",), ("</think:x>",))


def test_a_template_that_loops_over_no_tools_gets_a_list() -> None:
    source = "{% for tool in tools %}{{ tool }}{% endfor %}{{ messages[0].content }}"
    assert text_of(Template(source).render([Turn("user", "Hi")])) == "Hi"
