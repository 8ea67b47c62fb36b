"""In the database itself an impersonation is lengthened, given to somebody else, doubled or brought back to life."""

from tests.attacks.door import Attempts, Door
from tests.attacks.product import inside_product, kit

CHECKLIST = ("V15.4.2",)


def attack(door: Door) -> Attempts:
    """Try it against the triggers and the index, which hold under the application."""
    agent, inside = inside_product(door)
    attempts = door.attempts(
        "IntegrityError", unrecorded="the database refuses it under the application, which is never asked"
    )
    for changed in ("not_after = not_after + 1", "member = 'mem_other'", "tenant = 'ten_other'", "idle_minutes = 99",
                    "reason_reference = 'ZD-1'", "started_at = 0", "staff = 'stf_other'"):  # fmt: skip
        attempts.sql(f"UPDATE impersonation SET {changed}")
    attempts.sql("DELETE FROM impersonation")
    columns = (
        "staff, session, lease, tenant, member, mode, reason_code, reason_reference, reason_note, request, "
        "widened_by, started_at, last_used_at, not_after, idle_minutes, ended_at, ended_by"
    )
    attempts.sql(f"INSERT INTO impersonation (id, {columns}) SELECT 'imp_second', {columns} FROM impersonation")
    attempts.sql("UPDATE impersonation_code SET used_at = NULL")
    attempts.sql("UPDATE impersonation_code SET until = until + 1")
    agent.get("/account")
    assert agent.post(f"/impersonations/{inside.sid}/end").status_code == 303
    attempts.sql("UPDATE impersonation SET ended_at = NULL, ended_by = NULL")
    attempts.sql("UPDATE impersonation SET mode = 'write'")
    assert not kit(door).introspect(inside.token)["active"]
    return attempts
