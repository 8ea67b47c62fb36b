"""The forms of a person's own account."""

from wtforms import HiddenField, PasswordField, StringField
from wtforms.validators import Length

from console.web.forms.strict import StrictForm, stripped


class EmptyForm(StrictForm):
    """A form that is only a button."""


class StepUpForm(StrictForm):
    """One of two proofs; the code is tried first."""

    code = StringField(
        "One-time code",
        filters=[stripped],
        description="Six digits from your authenticator app; each code is good once.",
        validators=[Length(max=12, message="The code has six digits.")],
        render_kw={"autocomplete": "one-time-code", "inputmode": "numeric", "maxlength": "12"},
    )
    password = PasswordField(
        "Or your password",
        validators=[Length(max=256, message="Use at most 256 letters.")],
        render_kw={"autocomplete": "current-password", "maxlength": "256"},
    )
    next = HiddenField()
