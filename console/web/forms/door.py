"""The form of the sign-in page."""

from wtforms import HiddenField, PasswordField, StringField
from wtforms.validators import InputRequired, Length

from console.web.forms.strict import StrictForm, stripped


class SignInForm(StrictForm):
    """E-mail, password and one-time code; the address to go to afterwards."""

    email = StringField(
        "Work e-mail",
        filters=[stripped],
        validators=[InputRequired("Type your work e-mail."), Length(max=254, message="Use at most 254 letters.")],
        render_kw={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false", "maxlength": "254"},
    )
    password = PasswordField(
        "Password",
        validators=[InputRequired("Type your password."), Length(max=256, message="Use at most 256 letters.")],
        render_kw={"autocomplete": "current-password", "maxlength": "256"},
    )
    code = StringField(
        "One-time code",
        filters=[stripped],
        description="Six digits from your authenticator app.",
        validators=[InputRequired("Type the six digits."), Length(max=12, message="The code has six digits.")],
        render_kw={"autocomplete": "one-time-code", "inputmode": "numeric", "maxlength": "12"},
    )
    next = HiddenField()
