"""Jinja's immutable sandbox with limits: a template is a program from a stranger."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from types import BuiltinMethodType, MethodType
from typing import Any, NoReturn

from jinja2 import nodes
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension, loopcontrols
from jinja2.meta import find_undeclared_variables
from jinja2.parser import Parser
from jinja2.runtime import Context, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Cycler, Joiner, Namespace, pass_context
from jinja2.visitor import NodeTransformer

from app.engine.templates import methods
from app.engine.templates.filters import bounded_filters, bounded_tests, settled
from app.engine.templates.meter import MAX_DIGITS, Exhausted, Meter
from app.engine.templates.words import concatenated, origin, written

MAX_SOURCE = 128_000  # characters; the longest that are in use have about 20,000
MAX_NESTING = 60  # of an expression or a block in others: Python's own compiler recurses on them
MAX_NODES = 40_000
MAX_CALLS = 60  # of macros within macros
_MAX_CHAIN = 16  # comparisons in a row
_MAX_FORMAT = 200  # of a date

# Everything else (include, import, extends, blocks, autoescape, recursive loops) has no place in a chat
# template, and is refused.
_KNOWN = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.For, nodes.If, nodes.Macro, nodes.CallBlock,
    nodes.FilterBlock, nodes.With, nodes.Scope, nodes.Assign, nodes.AssignBlock, nodes.Break, nodes.Continue,
    nodes.BinExpr, nodes.UnaryExpr, nodes.Name, nodes.NSRef, nodes.Const, nodes.Tuple, nodes.List, nodes.Dict,
    nodes.Pair, nodes.Keyword, nodes.CondExpr, nodes.Filter, nodes.Test, nodes.Call, nodes.Getitem,
    nodes.Getattr, nodes.Slice, nodes.Concat, nodes.Compare, nodes.Operand,
)  # fmt: skip


class Refusal(Exception):
    """A template would not render a conversation; the text says why, in the template's words."""


class Unusable(Exception):
    """A template cannot be compiled; the text says why."""


class Program:
    """A compiled template.

    Attributes:
        variables: The names that it reads and does not set itself.
    """

    def __init__(self, source: str) -> None:
        """Compile `source`.

        Raises:
            Unusable: When it is no template, or one that is too large or too strange to run.
        """
        if len(source) > MAX_SOURCE:
            raise Unusable(f"more than {MAX_SOURCE} characters")
        self._environment = _Environment()
        try:
            tree = self._environment.parse(source)
            _Accounting().prepare(tree)
            self.variables = frozenset(find_undeclared_variables(tree)) - set(self._environment.globals)
            code = self._environment.compile(tree)
            self._template = self._environment.template_class.from_code(
                self._environment, code, self._environment.make_globals(None)
            )
        except Unusable:
            raise
        # Parser and compiler are not made for strangers: numbers with thousands of digits, nesting that
        # exhausts the stack, and more.
        except Exception as error:
            raise Unusable(str(error)) from error

    def run(self, variables: dict[str, Any], seconds: float) -> str:
        """Return what the template makes of `variables`; `Words` in them stay marked.

        Raises:
            Refusal: When it raises an exception, its own or any other.
            Exhausted: When it takes too long or makes too much.
        """
        environment = self._environment
        environment.meter = Meter(seconds, variables)
        try:
            parts = list(self._template.root_render_func(self._template.new_context(variables)))
            return concatenated(parts)
        except (Exhausted, Refusal):
            raise
        except Exception as error:  # a template may fail in any way that Python knows
            raise Refusal(str(error)) from error
        finally:
            environment.meter = Meter(0.0)  # lets go of the conversation


class _Environment(ImmutableSandboxedEnvironment):
    """The sandbox in which every operation comes by the meter."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})
    meter: Meter

    def __init__(self) -> None:
        super().__init__(
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=[loopcontrols, _Generation],
            optimized=False,  # it would compute constants while compiling, without a meter
            cache_size=0,
        )
        self.meter = Meter(0.0)
        # With a context, so that nothing is printed while compiling either.
        self.finalize = self._put_out
        self.filters: dict[str, Any] = bounded_filters(lambda: self.meter)
        self.tests: dict[str, Any] = bounded_tests(lambda: self.meter)
        self.globals = {
            "range": self.globals["range"],
            "dict": _dictionary,
            "cycler": Cycler,
            "joiner": Joiner,
            "namespace": _Namespace,
            "raise_exception": _refuse,
            "strftime_now": _now,
        }

    @pass_context
    def _put_out(self, _context: Context, value: Any) -> str:
        return self.meter.put_out(methods.spelled(value))

    def concat(self, pieces: Iterable[str]) -> str:
        """Join what a macro or a block has put out."""
        return self.meter.keep(concatenated(pieces))

    # What `_Accounting` puts into the compiled template, beside what Jinja lets a sandbox override.

    def tilde(self, *values: Any) -> str:
        """Return `a ~ b ~ c`."""
        return self.meter.keep(concatenated(map(methods.spelled, values)))

    def kept(self, value: Any) -> Any:
        """Count a value that the template has written down, sliced or compared."""
        return settled(self.meter, value)

    def steps(self, values: Any) -> "_Steps":
        """Return what a loop runs over."""
        return _Steps(self.meter, values)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Reckon the result of an operator, and compute it."""
        meter = self.meter
        if operator == "+" and isinstance(left, str) and isinstance(right, str):
            return meter.keep(concatenated((left, right)))
        if operator == "%" and isinstance(left, str):
            return meter.keep(methods.interpolated(meter, left, right))
        if operator == "*":
            _reckon_product(meter, left, right)
        if operator == "**":
            _reckon_power(left, right)
        result = super().call_binop(context, operator, left, right)
        if isinstance(result, str):  # a product
            result = written(result, origin(left, right))
        return meter.keep(result)

    def wrap_str_format(self, value: Any) -> None:
        """Leave `str.format` alone: `call` sees to it."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Look up `obj.attribute`."""
        self.meter.tick()
        return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Look up `obj[argument]`."""
        self.meter.tick()
        return super().getitem(obj, argument)

    def call(self, context: Context, obj: Any, /, *arguments: Any, **options: Any) -> Any:
        """Call a macro, a method of a plain value, or one of the functions given to templates."""
        meter = self.meter
        meter.tick()
        if isinstance(obj, MethodType) and obj.__self__ is self:  # what `_Accounting` put in
            return obj(*arguments)
        if isinstance(obj, BuiltinMethodType):
            for name in ("_loop_vars", "_block_vars"):
                options.pop(name, None)
            return meter.keep(methods.call(meter, obj.__self__, obj.__name__, arguments, options))
        if not isinstance(obj, Macro):
            return meter.keep(super().call(context, obj, *arguments, **options))
        with meter.within(MAX_CALLS):
            return super().call(context, obj, *arguments, **options)


class _Accounting(NodeTransformer):
    """Makes a parsed template account for what Jinja's sandbox does not see."""

    def __init__(self) -> None:
        self._depth = self._nodes = 0

    def prepare(self, tree: nodes.Template) -> None:
        """Change `tree` in place.

        Raises:
            Unusable: When there is something in it that no chat template needs.
        """
        self.visit(tree)

    def visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> Any:
        """Check and change `node` and all below it."""
        self._nodes += 1
        self._depth += 1
        if not isinstance(node, _KNOWN) or (isinstance(node, nodes.For) and node.recursive):
            raise Unusable(type(node).__name__.lower())
        if self._depth > MAX_NESTING or self._nodes > MAX_NODES:
            raise Unusable("too deep, or too long")
        try:
            return super().visit(node, *args, **kwargs)
        finally:
            self._depth -= 1

    def visit_TemplateData(self, node: nodes.TemplateData) -> nodes.Node:  # noqa: N802
        # As an expression it passes by `_put_out`, too.
        return nodes.Const(node.data, lineno=node.lineno)

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        node.iter = _passed("steps", node.iter)
        return node

    def visit_Macro(self, node: nodes.Macro | nodes.CallBlock) -> nodes.Node:  # noqa: N802
        # A value made by the call itself would not be counted.
        if {"varargs", "kwargs"} & {name.name for name in node.find_all(nodes.Name)}:
            raise Unusable("varargs")
        return self.generic_visit(node)

    visit_CallBlock = visit_Macro  # noqa: N815

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _passed("tilde", *node.nodes)

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:  # noqa: N802
        if len(node.ops) > _MAX_CHAIN:
            raise Unusable("compare")
        return self._kept(node)

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:  # noqa: N802
        return self._kept(node) if isinstance(node.arg, nodes.Slice) else self.generic_visit(node)

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:  # noqa: N802
        return self._kept(node) if node.ctx == "load" else self.generic_visit(node)

    def visit_List(self, node: nodes.List) -> nodes.Node:  # noqa: N802
        return self._kept(node)

    def visit_Dict(self, node: nodes.Dict) -> nodes.Node:  # noqa: N802
        return self._kept(node)

    def _kept(self, node: nodes.Expr) -> nodes.Node:
        self.generic_visit(node)
        return _passed("kept", node)


def _passed(method: str, *values: Any) -> nodes.Call:
    """Return a call of the environment's `method` with `values`."""
    line = values[0].lineno
    function = nodes.EnvironmentAttribute(method, lineno=line)
    return nodes.Call(function, [*values], [], None, None, lineno=line)


class _Steps:
    """What a loop runs over, looking at the clock at each step."""

    def __init__(self, meter: Meter, values: Any) -> None:
        self._meter = meter
        self._values = settled(meter, values)

    def __iter__(self) -> Iterator[Any]:
        tick = self._meter.tick
        for value in self._values:
            tick()
            yield value

    def __len__(self) -> int:
        return len(self._values)


class _Generation(Extension):
    """`{% generation %}`: marks for training what the assistant says; here it has no effect."""

    tags = {"generation"}  # noqa: RUF012 - as Jinja declares it

    def parse(self, parser: Parser) -> list[nodes.Node]:
        """Return what stands between the tags."""
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class _Namespace(Namespace):
    """Jinja's namespace, which does not hold another one: a chain of them could not be bounded."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__()
        for name, value in dict(*arguments, **options).items():
            self[name] = value

    def __setitem__(self, name: str, value: Any) -> None:
        if isinstance(value, Namespace):
            raise SecurityError("a namespace cannot hold a namespace")
        super().__setitem__(name, value)


def _reckon_product(meter: Meter, left: Any, right: Any) -> None:
    for many, times in ((left, right), (right, left)):
        if isinstance(times, int) and isinstance(many, str | list | tuple):
            meter.reckon(meter.size(many) * times)


def _reckon_power(base: Any, exponent: Any) -> None:
    whole = isinstance(base, int) and isinstance(exponent, int)
    if whole and base.bit_length() * abs(exponent) > MAX_DIGITS:
        raise Exhausted("number")


def _dictionary(*arguments: Any, **options: Any) -> dict[Any, Any]:
    return dict(*arguments, **options)


def _refuse(reason: object) -> NoReturn:
    raise Refusal(str.__str__(methods.spelled(reason)))


def _now(form: str) -> str:
    if len(form) > _MAX_FORMAT:
        raise Exhausted("width")
    return datetime.now().strftime(form)
