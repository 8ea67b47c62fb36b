"""Puts the web ring together: one Flask app, closed by default."""

from typing import Any

from flask import Flask
from jinja2 import StrictUndefined
from werkzeug.middleware.proxy_fix import ProxyFix

from console.usecases.house import House
from console.web import asking, gate
from console.web.assets import serve_assets
from console.web.blueprints import BLUEPRINTS
from console.web.compiling import LeanEnvironment
from console.web.live import Streams
from console.web.marks import Marks, hx
from console.web.mishaps import handle_mishaps
from console.web.options import DemoPerson, Web, WebOptions
from console.web.paths import path_of
from console.web.security import protect_answers
from console.web.sessions import COOKIE, StaffSessions, sign_in_people

__all__ = ["BLUEPRINTS", "DemoPerson", "WebOptions", "make_web"]

LARGEST_BODY = 256 * 1024
_MOST_PARTS = 100


class ConsoleApp(Flask):
    """Flask with templates that fail on a missing name instead of showing nothing."""

    jinja_environment = LeanEnvironment
    jinja_options = {  # noqa: RUF012  Flask declares it per instance
        "undefined": StrictUndefined,
        "autoescape": True,
        "trim_blocks": True,
        "lstrip_blocks": True,
    }


def make_web(house: House, options: WebOptions) -> Flask:
    """Return the app. Raises: UnclassifiedEndpointError when an endpoint does not say who may reach it."""
    app = ConsoleApp(
        "console.web",
        template_folder=str(options.templates.resolve()),
        static_folder=str(options.static.resolve()),
        static_url_path="/static",
    )
    app.config.from_mapping(_config(options))
    app.extensions["sallyport"] = Web(house=house, options=options, streams=Streams(most=options.most_streams))
    app.session_interface = StaffSessions(house, key=options.session_key)
    if options.trusted_proxies:
        proxies = options.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=0, x_prefix=0)  # type: ignore[method-assign]
    gate.install_form_tokens(app)
    sign_in_people(app)
    assets = serve_assets(app, options.static)
    app.jinja_env.globals.update(hx=hx, marks=Marks(assets.address), reason_label=asking.reason_label, url_for=path_of)
    handle_mishaps(app)
    protect_answers(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    gate.close_gate(app)
    return app


def _config(options: WebOptions) -> dict[str, Any]:
    return {
        "DEBUG": False,
        "TESTING": False,
        "PROPAGATE_EXCEPTIONS": False,
        "TEMPLATES_AUTO_RELOAD": False,
        "SECRET_KEY": options.session_key,
        "TRUSTED_HOSTS": list(options.trusted_hosts),
        "MAX_CONTENT_LENGTH": LARGEST_BODY,
        "MAX_FORM_MEMORY_SIZE": LARGEST_BODY,
        "MAX_FORM_PARTS": _MOST_PARTS,
        "PROVIDE_AUTOMATIC_OPTIONS": False,
        "SESSION_COOKIE_NAME": COOKIE,
        "SESSION_COOKIE_SECURE": True,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        # Flask-Login's own long-lived cookie is never sent; should it ever be, not with its weak defaults.
        "REMEMBER_COOKIE_SECURE": True,
        "REMEMBER_COOKIE_HTTPONLY": True,
        "REMEMBER_COOKIE_SAMESITE": "Strict",
        "WTF_CSRF_CHECK_DEFAULT": False,  # the gate checks, after it knows who is there
        "WTF_CSRF_SSL_STRICT": True,
        "WTF_CSRF_TIME_LIMIT": None,  # a token lives as long as the session whose secret it carries
        "WTF_I18N_ENABLED": False,
    }
