"""Somebody with the database itself drops the triggers and edits or removes an entry; the verifier names it."""

from console.domain.staff import Actor, StaffKind
from console.ports.sequencer import FindingKind, Verification
from console.usecases.verify_trail import verify_trail
from tests.attacks.door import Attempts, Door
from tests.integration.cast import PaperSigner, PaperSink

CHECKLIST = ("V16.4.2", "PCI-10.3.4", "V11.2.3")


def attack(door: Door) -> Attempts:
    """Edit one entry, then remove another, and let the auditor's proof find both."""
    agent = door.inside()
    agent.get("/t/nordwind/members")
    sequencer = door.cast.storage.sequencer(PaperSigner(), PaperSink())
    while sequencer.run_once():
        pass
    member = door.cast.house
    with member.store.read() as unit:
        auditor = unit.staff.get(door.staff("security_auditor"))
    assert auditor is not None
    actor = Actor(
        staff=auditor.id, person=auditor.person, name=auditor.name, email=auditor.email, roles=auditor.roles,
        kind=StaffKind.PERSON,
    )  # fmt: skip
    assert proven(verify_trail(member, sequencer, actor)).is_sound
    door.unlock("audit_event")
    uid = next(entry["uid"] for entry in door.cast.entries("lease.open"))
    door.sql("UPDATE audit_event SET body = replace(body, 'ZD-48213', 'ZD-48214') WHERE uid = ?", uid)
    edited = proven(verify_trail(member, sequencer, actor))
    assert (edited.findings[0].kind, edited.findings[0].uid) == (FindingKind.BODY_CHANGED, uid)
    door.sql("DELETE FROM audit_event WHERE uid = ?", uid)
    removed = proven(verify_trail(member, sequencer, actor))
    assert removed.findings[0].kind is FindingKind.ENTRY_MISSING
    told = door.cast.entries("trail.verified")
    assert [entry["outcome"] for entry in told] == ["success", "failed", "failed"]
    # What is left to refuse: hiding the finding by writing the trail's positions anew.
    attempts = door.attempts(
        "IntegrityError",
        unrecorded="the findings are recorded: three entries trail.verified, two of them failed",
    )
    attempts.sql("DELETE FROM audit_seq")
    attempts.sql("UPDATE audit_seq SET leaf = zeroblob(32)")
    return attempts


def proven(answer: object) -> Verification:
    """Return the verification. Raises: AssertionError when the auditor was refused."""
    assert isinstance(answer, Verification)
    return answer
