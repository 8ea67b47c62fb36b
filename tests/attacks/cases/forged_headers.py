"""Headers that a proxy would set name an address, a person and another page."""

from tests.attacks.door import Attempts, Door

CHECKLIST = ("V4.1.3", "V15.3.4", "V6.3.4", "V8.4.2")
HEADERS = {
    "X_Forwarded_For": "203.0.113.9", "X_Real_IP": "203.0.113.9", "Forwarded": "for=203.0.113.9",
    "Remote_User": "petra",
    "X_Remote_User": "petra", "X_Forwarded_User": "petra", "X_Forwarded_Email": "administrator@brightline.example",
    "X_Original_URL": "/healthz", "X_Rewrite_URL": "/healthz", "X_Forwarded_Host": "localhost",
    "X_Forwarded_Proto": "https", "X_Forwarded_Prefix": "/healthz", "Authorization": "Basic cGV0cmE6cGV0cmE=",
}  # fmt: skip


def attack(door: Door) -> Attempts:
    """Come as a stranger with each of them, and with all."""
    stranger = door.cast.stranger()
    attempts = door.attempts(401, "route.refused")
    for name, value in HEADERS.items():
        attempts.get(stranger, "/staff", **{name: value})
    attempts.get(stranger, "/staff", **HEADERS)
    told = door.cast.entries("route.refused")
    assert {entry["request"]["ip"] for entry in told} == {"127.0.0.1"}
    assert {entry["actor"]["kind"] for entry in told} == {"stranger"}
    return attempts
