"""The base of every form: fields that are named, texts that are trimmed, and nothing that was not asked for."""

from typing import Any

from flask import request
from flask_wtf import FlaskForm

from console.web.asking import STEP_UP_CODE, STEP_UP_PASSWORD
from console.web.forms.strange import record_strange

_ALWAYS_TAKEN = frozenset({"csrf_token", STEP_UP_CODE, STEP_UP_PASSWORD})


class StrictForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """A form that refuses fields it does not know and single fields that were sent twice."""

    MANY: frozenset[str] = frozenset()  # names that may be sent more than once
    TAKEN: frozenset[str] = frozenset()  # names that are no WTForms field, but belong to the page

    class Meta(FlaskForm.Meta):  # type: ignore[misc]
        """Read a posted form only; JSON is not a form."""

        def wrap_formdata(self, form: object, formdata: Any) -> Any:  # noqa: ANN401  WTForms' own words
            """Return the posted fields, or nothing when nothing was posted."""
            posted = request.form if request.method not in {"GET", "HEAD"} else None
            return formdata if formdata is None or isinstance(formdata, dict) else posted

    def surplus(self) -> list[str]:
        """Return a sentence for each field that was not asked for, or came twice."""
        sent = request.form
        known = {field.name for field in self} | _ALWAYS_TAKEN | self.TAKEN
        strange = [f"There is no field {name[:40]!r} in this form." for name in sent if name not in known]
        twice = [
            f"The field {name!r} came {len(sent.getlist(name))} times; send it once."
            for name in sent
            if name in known and name not in self.MANY and len(sent.getlist(name)) > 1
        ]
        return strange + twice

    def validate(self, extra_validators: Any = None) -> bool:  # noqa: ANN401  WTForms' own words
        """Return whether the form can be believed; strange fields are errors of the form itself."""
        is_good = bool(super().validate(extra_validators=extra_validators))
        surplus = self.surplus()
        if surplus:
            self.form_errors.extend(surplus)
            record_strange(surplus)
        return is_good and not surplus

    def faults(self) -> list[dict[str, str]]:
        """Return what is wrong as `error_summary` of components/notice.html reads it."""
        found = [
            {"name": field.name, "label": field.label.text, "text": " ".join(map(str, field.errors))}
            for field in self
            if field.errors
        ]
        return found + [{"name": "main", "label": "Form", "text": text} for text in map(str, self.form_errors)]


def stripped(value: str | None) -> str | None:
    """Return a text without the space around it; a filter for text fields."""
    return None if value is None else value.strip()
