"""Hostile templates: each ends soon, in a sentence, and takes little memory."""

import resource
import sys
import time

import pytest

from app.domain.errors import UserError
from app.domain.generation import Turn
from app.engine import template as template_module
from app.engine.template import Template
from app.engine.templates.environment import MAX_SOURCE

SECONDS = 0.3
HI = [Turn("user", "Hi")]
BIG = "{% set ns = namespace(x='xxxxxxxxxxxxxxxx') %}"


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    monkeypatch.setattr(template_module, "MAX_SECONDS", SECONDS)
    monkeypatch.setattr(template_module, "PROBE_SECONDS", SECONDS / 10)


def doubled(step):
    return BIG + "{% for i in range(99) %}{% set ns.x = " + step + " %}{% endfor %}{{ ns.x | length }}"


ATTACKS = {
    # time
    "loops without output": "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "filtered loop": "{% for a in range(99999) %}{% for b in range(99999) if b < 0 %}{% endfor %}"
    "{% endfor %}",
    "macro that calls itself": "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "macro that branches": "{% macro f(n) %}{{ f(n - 1) ~ f(n - 1) if n }}{% endmacro %}{{ f(50) }}",
    "caller that calls itself": "{% macro f() %}{{ caller() }}{% endmacro %}"
    "{% macro g() %}{% call f() %}{{ g() }}{% endcall %}{% endmacro %}{{ g() }}",
    "comparisons of what is large": "{% set x = 'a' * 9999999 %}"
    + "{% if ('b' ~ x) in x %}{% endif %}" * 2000,
    "comparisons in a row": "{{ 1" + " < 2" * 5000 + " }}",
    "sorting by a slow key": "{% for a in range(999) %}{{ range(99999) | sort(attribute='real') | length }}"
    "{% endfor %}",
    "power": "{{ 9 ** (9 ** 9) }}",
    "power in rounding": "{{ 1.5 | round(999999999, 'ceil') }}",
    "filters of filters": BIG + "{% set ns.x = range(9999) %}{% for i in range(99999) %}"
    "{% set ns.x = ns.x | map('string') %}{% endfor %}",
    "sum of lists": "{% for a in range(9999) %}{{ ([[1]] * 9999) | sum(start=[]) | length }}{% endfor %}",
    # memory
    "product": "{{ 'a' * 10 ** 9 }}",
    "product of a list": "{{ [0] * 10 ** 9 }}",
    "product the other way": "{{ 10 ** 9 * 'a' }}",
    "range": "{{ range(10 ** 9) | list }}",
    "doubling +": doubled("ns.x + ns.x"),
    "doubling ~": doubled("ns.x ~ ns.x"),
    "doubling join": doubled("[ns.x, ns.x] | join"),
    "doubling str.join": doubled("ns.x.join(['a', 'b', 'c'])"),
    "doubling replace": doubled("ns.x | replace('x', 'xx')"),
    "doubling str.replace": doubled("ns.x.replace('x', 'xx')"),
    "doubling format": doubled("'%s%s' | format(ns.x, ns.x)"),
    "doubling %": doubled("'%(a)s%(a)s' % {'a': ns.x}"),
    "doubling str.format": doubled("'{0}{0}'.format(ns.x)"),
    "doubling indent": doubled("('\n' * 9 ~ ns.x) | indent(ns.x, true, true)"),
    "escape": "{{ ('<' * 9999999) | e | length }}",
    "doubling json": doubled("ns.x | tojson | tojson"),
    "doubling lists": doubled("[ns.x, ns.x]"),
    "doubling tuples": doubled("(ns.x, ns.x)"),
    "doubling dictionaries": doubled("{'a': ns.x, 'b': ns.x}"),
    "doubling dict": doubled("dict(a=ns.x, b=ns.x)"),
    "doubling concatenated lists": BIG + "{% set ns.x = [1] %}" + doubled("ns.x + ns.x")[len(BIG) :],
    "doubling slices": doubled("(ns.x + ns.x)[:]"),
    "doubling blocks": BIG + "{% for i in range(99) %}{% set y %}{{ ns.x }}{{ ns.x }}{% endset %}"
    "{% set ns.x = y %}{% endfor %}",
    "doubling macros": "{% macro f(x) %}{{ x }}{{ x }}{% endmacro %}" + doubled("f(ns.x)"),
    "doubling filter blocks": "{% macro f(x) %}{% filter upper %}{{ x }}{{ x }}{% endfilter %}{% endmacro %}"
    + doubled("f(ns.x)"),
    "deep lists": BIG + "{% for i in range(99999) %}{% set ns.x = [ns.x] %}{% endfor %}",
    "deep tuples as keys": BIG
    + "{% for i in range(99999) %}{% set ns.x = (ns.x,) %}{% endfor %}{{ {ns.x: 1} }}",
    "namespaces in namespaces": "{% set a = namespace() %}{% set a.a = a %}{{ a }}",
    "namespaces in lists": "{% set a = namespace() %}{% set a.a = [a] %}{{ a }}",
    "namespace made of namespaces": "{% set a = namespace() %}{% set b = namespace(a=a) %}{{ b }}",
    "printed namespace": "{% set a = namespace() %}{{ a }}",
    "arguments of arguments": "{% macro f() %}{{ f(varargs, varargs) }}{% endmacro %}{{ f() }}",
    "wide field": "{{ '%999999999d' % 1 }}",
    "wide named field": "{{ '%(a)999999999d' % {'a': 1} }}",
    "field as wide as told": "{{ '%*d' % (999999999, 1) }}",
    "wide str.format": "{{ '{:>999999999}'.format(1) }}",
    "str.format as wide as told": "{{ '{:{}}'.format(1, 999999999) }}",
    "str.format that looks inside": "{{ '{0.__class__}'.format(1) }}",
    "center": "{{ 'a'.center(999999999) }}",
    "zfill": "{{ 'a'.zfill(999999999) }}",
    "indent": "{{ 'a' | indent(999999999, true) }}",
    "wide json": "{{ [[[1]]] | tojson(indent=999999999) }}",
    "bytes": "{{ (1).to_bytes(999999999, 'little') | length }}",
    "expandtabs": "{{ '\t'.expandtabs(999999999) }}",
    "many variables": "{% set b = 'a' * 9999999 %}"
    + "".join(f"{{% set v{i} = b ~ {i} %}}" for i in range(2000)),
    "constants over and over": "{% for a in range(99999) %}" + "a" * 90_000 + "{% endfor %}",
    "constants in a block": "{% set x %}{% for a in range(99999) %}"
    + "a" * 90_000
    + "{% endfor %}{% endset %}",
    "nothing, very often": "{% for a in range(99999) %}{% for b in range(99999) %}{{ '' }}{% endfor %}"
    "{% endfor %}",
    "list of characters": "{% for c in ('a' * 9999999) | list %}{% endfor %}",
    "split": "{{ ('a ' * 5000000).split(' ') | length }}",
    "splitlines": "{{ ('\n' * 9999999).splitlines() | length }}",
    "date": "{{ strftime_now('%Y' * 9999) }}",
    # the sandbox
    "classes": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "globals": "{{ cycler.__init__.__globals__.os.system('touch /tmp/never') }}",
    "globals of ours": "{{ raise_exception.__globals__ }}{{ strftime_now.__globals__.os() }}",
    "attribute by name": "{{ ''['__class__']() }}",
    "attribute of many": "{{ (['a'] | map(attribute='__class__') | list)[0]() }}",
    "environment": "{{ self._TemplateReference__context.environment() }}",
    "change what was given": "{{ messages.append(1) }}{{ messages.pop() }}",
    "change a message": "{{ messages[0].update(a=1) }}",
}  # fmt: skip


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_ends_in_a_sentence(name):
    template = Template(ATTACKS[name])
    if template.is_plain:
        assert template.problem  # not even compiled
        return
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    with pytest.raises(UserError):
        template.rendered(HI)
    # One operation may run over: a tenth of a second each at most, on a computer with nothing else to do.
    assert time.process_time() - started < SECONDS + 2.0
    scale = 1 if sys.platform == "darwin" else 1024
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * scale < 500_000_000


@pytest.mark.parametrize(
    "source",
    [
        "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}",
        "{{ " + "[" * 500 + "]" * 500 + " }}",
        "{{ " + "not " * 5000 + "1 }}",
        "{{ " + "- " * 5000 + "1 }}",
        "{{ a" + ".b" * 5000 + " }}",
        "{{ a" + " | trim" * 5000 + " }}",
        "{{ 1" + " + 1" * 5000 + " }}",
        "{% if a %}" * 3000 + "{% endif %}" * 3000,
        "{% for a in b %}" * 50 + "{% endfor %}" * 50,
        "{{ " + "9" * 9999 + " }}",
        "{% autoescape 'a' * 10 ** 9 %}{% endautoescape %}",
        "{% include 'x' %}",
        "{% import 'x' as y %}",
        "{% extends 'x' %}",
        "{% block a %}{{ self.a() }}{% endblock %}",
        "{% for a in b recursive %}{{ loop(b) }}{% endfor %}",
        "x" * (MAX_SOURCE + 1),
    ],
)  # fmt: skip
def test_what_no_chat_template_needs_is_not_compiled(source):
    template = Template(source)
    assert template.is_plain
    assert template.problem


@pytest.mark.parametrize(
    "unit",
    [
        "{% if a %}{% set b# = 1 %}{% endif %}",
        "{% set a# = a %}",
        "{{ a ~ b }}",
        "{% macro m#(a) %}{{ a }}{% endmacro %}",
        "{#",
        "{{ '",
        "{%- ",
        "{% if a %}",
    ],
)
def test_the_longest_templates_compile_soon(unit):
    source = "".join(unit.replace("#", str(i)) for i in range(MAX_SOURCE))[:MAX_SOURCE]
    started = time.process_time()
    Template(source[: source.rfind(unit[-2:]) + 2])
    assert time.process_time() - started < template_module.MAX_SECONDS + 6


def test_an_honest_template_may_put_its_text_together_bit_by_bit(monkeypatch):
    monkeypatch.setattr(template_module, "MAX_SECONDS", 5.0)
    source = (
        "{% set ns = namespace(out='') %}{% for m in messages %}{% set ns.out = ns.out ~ m.content ~ '|' %}"
        "{% endfor %}{{ ns.out }}"
    )
    turns = [Turn("user" if i % 2 else "assistant", "é" * 20_000) for i in range(100)]
    assert Template(source).rendered(turns) == "".join(turn.text + "|" for turn in turns)
