from chat_templates import CHATML, GEMMA, GPT_OSS, LLAMA_2, QWEN3, R1

from app.domain.model import Thinking
from app.engine.template import Template
from app.engine.template_doctor import Report, examine


def test_a_template_that_takes_everything_has_nothing_to_say():
    report = examine(Template(CHATML))
    assert report == Report(plain=False)
    assert report.lines() == []


def test_a_report_is_made_once():
    template = Template(CHATML)
    assert examine(template) is examine(template)


def test_gemma_wants_turns_and_knows_no_system():
    report = examine(Template(GEMMA))
    assert not report.takes_system
    assert not report.takes_two_questions
    assert not report.takes_answer_first
    assert report.keeps_text
    assert report.keeps_answers
    assert [line.partition(";")[0] for line in report.lines()] == [
        "This model does not support a system prompt",
        "This model needs questions and answers in turn",
        "A conversation with this model must begin with a question",
    ]


def test_llama_2_takes_a_space_before_an_answer():
    assert examine(Template(LLAMA_2, "<s>", "</s>")).keeps_answers


def test_reasoning_and_its_switch():
    qwen, r1, oss = (examine(Template(source)) for source in (QWEN3, R1, GPT_OSS))
    assert (qwen.reasoning, qwen.reasoning_switch, qwen.reasoning_by_default) == (
        True,
        "enable_thinking",
        False,
    )
    assert (r1.reasoning, r1.reasoning_switch, r1.reasoning_by_default) == (True, "", True)
    assert qwen.thinking == Thinking("enable_thinking", True, False, usual=True)
    assert r1.thinking is None
    unless_asked = QWEN3.replace("enable_thinking is defined and not enable_thinking", "not enable_thinking")
    assert examine(Template(unless_asked)).thinking == Thinking("enable_thinking", True, False, usual=False)
    assert not r1.keeps_answers
    assert oss.reasoning
    assert qwen.variables == ("enable_thinking",)
    assert not qwen.keeps_reasoning
    assert examine(Template(QWEN3.replace(" and loop.last", ""))).keeps_reasoning
    assert (
        "This model can think before it answers; the template variable “enable_thinking” controls this."
        in qwen.lines()
    )


def test_without_a_template():
    assert examine(Template(None)).lines()[0] == "This model has no chat template."
    broken = examine(Template("{% for %}"))
    assert broken.plain
    assert broken.lines()[0].startswith("The chat template of this model cannot be used: Expected")


def test_a_template_that_refuses_everything():
    report = examine(Template("{{ raise_exception('no') }}"))
    assert not report.usable
    assert "refuses this conversation: no" in report.lines()[0]


def test_a_template_that_changes_text():
    assert not examine(Template("{% for m in messages %}{{ m.content | upper }}{% endfor %}")).keeps_text
