"""How Jinja compiles and imports here: habits of its that cost a large page half of its time, done without.

Every template is ours, escapes by itself and asks for no context; what Jinja finds out each time is known before.
"""

from io import StringIO
from keyword import iskeyword
from typing import Any, cast

from flask.sansio.app import App
from flask.templating import Environment
from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame, MacroRef
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
    """Compiled templates call, look up and escape as Python does, where Jinja goes through helpers of its own."""

    environment: "LeanEnvironment"

    def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:  # noqa: N802  Jinja's own
        """Begin with the names that this code uses everywhere."""
        self.writeline("lean_written, lean_escape, lean_text, lean_kind, lean_caller = environment.lean")
        super().visit_Template(node, frame)

    def visit_Getattr(self, node: nodes.Getattr, frame: Frame) -> None:  # noqa: N802  Jinja's own
        """Read an attribute of an object or a value of a dict; a name that is not there is an error either way."""
        if iskeyword(node.attr) or hasattr(dict, node.attr):
            super().visit_Getattr(node, frame)
            return
        self.write(f"(o[{node.attr!r}] if type(o := ")
        self.visit(node.node, frame)
        self.write(f") is dict else o.{node.attr})")

    def visit_Call(self, node: nodes.Call, frame: Frame, forward_caller: bool = False) -> None:  # noqa: FBT001, FBT002, N802  Jinja's own
        """Call; nothing that a template of ours calls asks for Jinja's context."""
        self.write("(")
        self.visit(node.node, frame)
        self.write(")(")
        stream, self.stream = self.stream, StringIO()
        self.signature(node, frame, {"caller": "caller"} if forward_caller else None)
        stream.write(self.stream.getvalue().removeprefix(", "))
        self.stream = stream
        self.write(")")

    def macro_def(self, macro_ref: MacroRef, frame: Frame) -> None:
        """Make a function of a macro, whose arguments Python itself puts in their places."""
        names = [argument.name for argument in macro_ref.node.args]
        is_odd = macro_ref.accesses_kwargs or macro_ref.accesses_varargs or "caller" in names
        if is_odd or any(iskeyword(name) for name in names):
            super().macro_def(macro_ref, frame)
            return
        caller = ["caller"] if macro_ref.accesses_caller else []
        taken = "".join(f"{name}=missing, " for name in names)
        kept = "caller=lean_caller, " if caller else ""
        self.write(
            f"(lambda {taken}*, {kept}lean_macro=macro: lean_text(lean_kind, lean_macro({', '.join(names + caller)})))"
        )

    def _import_common(self, node: nodes.Import | nodes.FromImport, frame: Frame) -> None:
        if node.with_context or not isinstance(node.template, nodes.Const):
            super()._import_common(node, frame)
        else:
            self.write(f"environment.component({node.template.value!r})")

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:  # noqa: ANN401  Jinja's own
        if self._is_lean(frame, finalize):
            self.write("(v if (k := type(v := (")
        else:
            super()._output_child_pre(node, frame, finalize)

    def _output_child_post(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:  # noqa: ANN401  Jinja's own
        if self._is_lean(frame, finalize):
            self.write("))) is lean_kind else lean_escape(v) if k is str else lean_written(v))")
        else:
            super()._output_child_post(node, frame, finalize)

    def _is_lean(self, frame: Frame, finalize: Any) -> bool:  # noqa: ANN401  Jinja's own
        return not frame.eval_ctx.volatile and frame.eval_ctx.autoescape and finalize.src is None


class SharedTemplate(Template):
    """A component is made once: it is imported without context, and every template has the same globals."""

    def _get_default_module(self, ctx: Context | None = None) -> TemplateModule:
        if self._module is None:
            self._module = self.make_module()
        return self._module


class LeanEnvironment(Environment):
    """Flask's environment with these habits mended. Shape: `lean` is what compiled code calls by short names."""

    code_generator_class = LeanCode
    template_class = SharedTemplate

    def __init__(self, app: App, **options: Any) -> None:  # noqa: ANN401  Jinja's own
        """Begin without components."""
        super().__init__(app, **options)
        missing = self.undefined("Nothing was called with this macro.", name="caller")
        self.lean = (written, _escape_inner, str.__new__, Markup, missing)
        self._components: dict[str, TemplateModule] = {}

    def component(self, name: str) -> TemplateModule:
        """Return what a template has to import; templates do not change while they are in service."""
        known = self._components.get(name)
        if known is None:
            known = self._components[name] = self.get_template(name)._get_default_module()  # noqa: SLF001  Jinja's own way
        return known
