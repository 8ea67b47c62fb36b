"""What every answer carries so that a browser keeps other people out of it."""

import secrets

from flask import Flask, Response, g, request

from console.web import asking

REPORTS_PATH = "/csp-reports"
_SIGNED_OUT = '"cache", "storage"'  # cookies are deleted by name, because the browser's own sweep takes seconds
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "Reporting-Endpoints": f'csp="{REPORTS_PATH}"',
    "Permissions-Policy": ", ".join(
        f"{power}=()"
        for power in (
            "accelerometer", "autoplay", "browsing-topics", "camera", "display-capture", "fullscreen",
            "geolocation", "gyroscope", "hid", "identity-credentials-get", "idle-detection", "local-fonts",
            "magnetometer", "microphone", "midi", "payment", "picture-in-picture", "screen-wake-lock", "serial",
            "storage-access", "usb", "xr-spatial-tracking",
        )
    ),
}  # fmt: skip
_PAGE = (
    "default-src 'none'",
    "script-src 'nonce-{nonce}'",
    "style-src 'self'",
    "img-src 'self'",
    "font-src 'self'",
    "connect-src 'self'",
    "object-src 'none'",
    "form-action 'self'{forms}",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "trusted-types htmx",
    "require-trusted-types-for 'script'",
    f"report-uri {REPORTS_PATH}",
    "report-to csp",
)
_CACHEABLE = frozenset({"static", "product.keys"})
_FILE = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"


def nonce() -> str:
    """Return the number that scripts of this answer carry; 128 random bits, never used again."""
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(16)
    found: str = g.nonce
    return found


def let_forms_lead_to(origin: str) -> None:
    """Let the forms of this page end at another origin, by a redirect of ours; it comes from the settings alone."""
    g.form_origin = origin


def _page_policy() -> str:
    origin: str = g.get("form_origin", "")
    return "; ".join(_PAGE).format(nonce=nonce(), forms=f" {origin}" if origin else "")


def forget_everything(response: Response) -> Response:
    """Ask the browser to drop what it keeps of us, after a sign-out."""
    response.headers["Clear-Site-Data"] = _SIGNED_OUT
    return response


def protect_answers(app: Flask) -> None:
    """Put the headers on every answer, errors too."""

    @app.after_request
    def protect(response: Response) -> Response:
        for name, value in _ALWAYS.items():
            response.headers[name] = value
        is_page = response.mimetype == "text/html"
        response.headers["Content-Security-Policy"] = _page_policy() if is_page else _FILE
        response.headers["X-Request-Id"] = asking.request_id()
        response.headers.pop("Server", None)
        is_lasting = request.endpoint in _CACHEABLE and response.status_code < 400
        if not is_lasting:
            response.headers["Cache-Control"] = "no-store"
        return response
