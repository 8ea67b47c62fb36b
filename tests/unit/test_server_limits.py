"""What the server refuses before the console is asked, and that scripts can read of it."""

from pathlib import Path

from console.app.serving import Server
from console.settings import load_settings

DOCS = Path(__file__).parents[2] / "docs" / "scripting.md"
DEMO = {
    "SALLYPORT_ENVIRONMENT": "demo",
    "SALLYPORT_LOCAL_PASSWORDS": "on",
    "SALLYPORT_SECRETS__SESSION_KEY": "session-0123456789abcdefghijklmnopqrstuv",
    "SALLYPORT_SECRETS__FINGERPRINT_KEY": "fingerprint-0123456789abcdefghijklmnopq",
    "SALLYPORT_SECRETS__SEALING_KEY": "sealing-0123456789abcdefghijklmnopqrstuv",
}


def test_it_documents_how_long_an_address_and_a_header_may_be() -> None:
    limits = Server(load_settings(DEMO), people=lambda _building: (), ready=lambda: None).cfg
    rows = dict(line.strip("| ").split(" | ", 1) for line in DOCS.read_text().splitlines() if line.startswith("| 4"))
    assert f"{limits.limit_request_line:,} bytes" in rows["414"]
    assert f"{limits.limit_request_field_size:,} bytes" in rows["431"]
    assert f"more than {limits.limit_request_fields}" in rows["431"]
