"""What machines ask: whether the console can serve, and the browsers' reports of broken content policy."""

import json
import logging
from typing import Any

from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import RequestEntityTooLarge

from console.usecases.check_health import is_healthy
from console.web import asking, gate
from console.web.security import REPORTS_PATH

bp = Blueprint("system", __name__)
_LOG = logging.getLogger("console.web.csp")
_LARGEST_REPORT = 16 * 1024
_MOST_REPORTS = 10
_TOLD = (
    "blocked-uri", "blockedURL", "document-uri", "documentURL", "violated-directive", "effective-directive",
    "effectiveDirective", "source-file", "sourceFile", "line-number", "lineNumber", "disposition",
)  # fmt: skip


@bp.get("/healthz")
@gate.unattended
def health() -> Response:
    """Say whether the console can serve: 200, or 503 within a second."""
    is_well = is_healthy(asking.house())
    answer = jsonify(status="ok" if is_well else "unavailable")
    answer.status_code = 200 if is_well else 503
    return answer


@bp.post(REPORTS_PATH)
@gate.unattended
def report() -> Response:
    """Take a browser's report of something that the content policy stopped: one log line each, nothing stored."""
    if (request.content_length or 0) > _LARGEST_REPORT:
        raise RequestEntityTooLarge
    request.max_content_length = _LARGEST_REPORT
    for told in _reports(request.get_data(cache=False)):
        _LOG.warning("content policy: %s", json.dumps(told, sort_keys=True))
    return Response(status=204)


def _reports(body: bytes) -> list[dict[str, str]]:
    try:
        read: Any = json.loads(body)
    except (ValueError, RecursionError):
        return []
    found = read if isinstance(read, list) else [read]
    return [_told(each) for each in found[:_MOST_REPORTS] if isinstance(each, dict)]


def _told(report: dict[str, Any]) -> dict[str, str]:
    """Return the few fields that help to find the fault, cut short: anybody may send anything here."""
    inner = report.get("csp-report", report.get("body", report))
    fields = inner if isinstance(inner, dict) else {}
    return {name: str(fields[name])[:200] for name in _TOLD if name in fields}
