"""Refusals in the form that the request can read: a page, a fragment or JSON, each with a word and a way out."""

import json
from dataclasses import dataclass
from html import escape

from sallyport_kit.banner import LEAVE, STYLE
from sallyport_kit.web import Answer, Asked, Headers

Lines = tuple[tuple[str, str], ...]

# No script, no frame, nothing from elsewhere: these pages need their own style only. A form leads to ourselves.
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'"
)
QUIET: Lines = (
    ("Cache-Control", "no-store"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
)

# Word, status, and what the person can do about it.
REFUSALS = {
    "impersonation_ended": (
        401,
        "This impersonation has ended",
        "Go back to the console, or leave to be yourself again.",
    ),
    "token_refused": (401, "This impersonation cannot be confirmed", "Leave, and enter again from the console."),
    "console_silent": (503, "The console does not answer", "Nothing was done. Try again in a moment."),
    "read_mode": (403, "You may only read", "This changes something. Ask in the console to write."),
    "never_allowed": (403, "Staff may never do this for a member", "The member has to do it. No approval opens it."),
    "undeclared_endpoint": (403, "Not open to impersonations", "Nobody has said yet what this does. Tell its owners."),
    "websocket_refused": (403, "Not open to impersonations", "A connection that stays cannot be checked again."),
    "reports_full": (503, "Too much waits to be recorded", "Nothing was done. Try again in a moment."),
    "entry_refused": (400, "You were not let in", "Begin again from the console."),
    "already_acting": (409, "You already act for somebody", "Leave that impersonation first."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a request is refused; `sentence` adds what the console said."""

    code: str
    sentence: str = ""
    console: str = ""

    @property
    def status(self) -> int:
        """Return the status of the answer."""
        return REFUSALS[self.code][0]


def refused(asked: Asked, refusal: Refusal, *, root: str = "") -> Answer:
    """Return the answer that says no."""
    status, title, remedy = REFUSALS[refusal.code]
    headers = (*QUIET, ("X-Impersonation-Refused", refusal.code))
    if not asked.wants_html:
        told = {"error": refusal.code, "title": title, "detail": refusal.sentence or remedy, "remedy": remedy}
        return Answer(
            status=status, body=json.dumps(told).encode(), headers=(("Content-Type", "application/json"), *headers)
        )
    text = "".join(f"<p>{escape(part)}</p>" for part in (refusal.sentence, remedy) if part)
    if asked.is_htmx:
        return _html(status, f'<div role="alert"><strong>{escape(title)}.</strong> {text}</div>', headers)
    ways = _ways(refusal.console, root=root, can_leave=status == 401)
    return page(status, title, text + ways, root=root, headers=headers)


def page(status: int, title: str, content: str, *, root: str = "", headers: Lines = QUIET) -> Answer:
    """Return a small page of the kit's own; `content` is HTML that is safe already."""
    html = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="stylesheet" href="{escape(root)}{STYLE}"></head><body class="sallyport-body">'
        f'<main class="sallyport-page"><h1>{escape(title)}</h1>{content}</main></body></html>'
    )
    return _html(status, html, (*headers, ("Content-Security-Policy", f"{_POLICY}; frame-ancestors 'none'")))


def _html(status: int, html: str, headers: Lines) -> Answer:
    kind = ("Content-Type", "text/html; charset=utf-8")
    return Answer(status=status, body=html.encode(), headers=(kind, *headers))


def _ways(console: str, *, root: str, can_leave: bool) -> str:
    back = f'<p><a href="{escape(console)}">Back to the console</a></p>' if console else ""
    leave = f'<form method="post" action="{escape(root)}{LEAVE}"><button>Leave</button></form>' if can_leave else ""
    return back + leave


def as_headers(answer: Answer) -> Headers:
    """Return the headers of an answer with its length."""
    return [*answer.headers, ("Content-Length", str(len(answer.body)))]
