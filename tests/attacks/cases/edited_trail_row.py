"""An entry of the trail is edited, removed and replaced in the database."""

from tests.attacks.door import Attempts, Door

CHECKLIST = ("V16.4.2", "PCI-10.3.4", "V11.2.3")


def attack(door: Door) -> Attempts:
    """Try it against the triggers, which hold for every way of writing that SQLite has."""
    door.inside()
    attempts = door.attempts(
        "IntegrityError", unrecorded="the database refuses it under the application, which is never asked"
    )
    body = "'{}'"
    for statement in (
        f"UPDATE audit_event SET body = {body} WHERE id = 1",
        "UPDATE audit_event SET leaf = zeroblob(32)",
        "DELETE FROM audit_event WHERE id = 1",
        "DELETE FROM audit_event",
        f"INSERT OR REPLACE INTO audit_event (id, body, leaf) SELECT id, {body}, leaf FROM audit_event WHERE id = 1",
        "REPLACE INTO audit_event (id, body, leaf) SELECT id, body, leaf FROM audit_event WHERE id = 1",
        "INSERT INTO audit_event (id, body, leaf) VALUES (1, '{}', '') ON CONFLICT (id) DO UPDATE SET leaf = 0",
        "UPDATE OR REPLACE audit_event SET id = 2 WHERE id = 1",
    ):
        attempts.sql(statement)
    return attempts
