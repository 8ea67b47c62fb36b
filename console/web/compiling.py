"""How Jinja compiles and imports here: two habits of its that cost a large page a third of its time, done once."""

from typing import Any, cast

from flask.templating import Environment
from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.environment import Template, TemplateModule
from jinja2.runtime import Context
from markupsafe import Markup, _escape_inner, escape  # type: ignore[attr-defined]


def written(value: object) -> str:
    """Return a value as it stands between the tags: escaped, and not wrapped again, since it is only joined."""
    kind = type(value)
    if kind is str:
        inner: str = _escape_inner(value)  # type: ignore[arg-type]  # what `escape` calls; its wrapping takes ten times as long
        return inner
    return cast("str", value) if kind is Markup else escape(value)


class LeanCode(CodeGenerator):
    """Compiled templates call `written` where Jinja would wrap every piece of text into Markup of its own."""

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:  # noqa: ANN401  Jinja's own
        if frame.eval_ctx.volatile or not frame.eval_ctx.autoescape or finalize.src is not None:
            super()._output_child_pre(node, frame, finalize)
        else:
            self.write("environment.written(")


class SharedTemplate(Template):
    """A component is made once: it is imported without context, and every template has the same globals."""

    def _get_default_module(self, ctx: Context | None = None) -> TemplateModule:
        if self._module is None:
            self._module = self.make_module()
        return self._module


class LeanEnvironment(Environment):
    """Flask's environment with both habits mended."""

    code_generator_class = LeanCode
    template_class = SharedTemplate
    written = staticmethod(written)
