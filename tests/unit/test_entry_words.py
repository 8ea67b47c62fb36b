"""What an entry calls things: actions, sentences, people, tenants and where something came from."""

import json
import string
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.canonical import canonical_bytes
from console.domain.entries import (
    CATALOGUE,
    STRANGER,
    ActorKind,
    ActorRef,
    Entry,
    EntryDraft,
    Kind,
    Outcome,
    RequestRef,
    TenantRef,
    Verb,
    VoteRef,
    Writer,
    WriterCounter,
    told,
)
from console.domain.ids import SHARED_PLANE, Digest, PersonKey, RequestId, SessionKey, StaffId, TenantId
from console.domain.merkle import leaf_hash
from console.domain.reasons import Effect
from console.domain.requests import Verdict, Vote
from console.domain.staff import Actor, Origin, Role, SignInMethod, StaffKind
from console.domain.tenancy import DirectoryRow, IsolationTier, TenantStatus
from tests.unit.entry_drafts import FIRST, FULL, NOW, body_of, sealed


@pytest.mark.parametrize("action", CATALOGUE)
def test_it_names_and_tells_every_action_plainly(action: str) -> None:
    described = CATALOGUE[action]
    noun, dot, verb = action.partition(".")
    assert noun.replace("_", "").islower()
    assert dot
    assert verb.replace("_", "").islower()
    assert described.sentence[0].islower()
    assert described.sentence[-1] not in ".!"
    used = {name for _, name, _, _ in string.Formatter().parse(described.sentence) if name}
    assert used <= {"tenant", "governed", "target", "records", "verdict", "why"}
    assert (described.kind is Kind.DENIED) == (described.outcome is Outcome.DENIED)
    assert (described.effect is Effect.READ) == (described.verb is Verb.READ and described.kind is not Kind.SYSTEM)
    body = body_of(replace(FULL, action=action, kind=None, verb=None, class_=None, effect=None, outcome=None))
    assert "{" not in told(body)
    bare = body_of(EntryDraft(action=action, actor=STRANGER, governed="invoice.credit", execution="exe_1"))
    assert "None" not in told(bare)


def test_it_cannot_be_given_a_new_action_from_outside() -> None:
    with pytest.raises(TypeError):
        CATALOGUE["staff.danced"] = CATALOGUE["home.read"]  # type: ignore[index]


def test_it_tells_an_entry_in_a_sentence() -> None:
    body = body_of(FULL)
    assert told(body) == "ran invoice.credit on Acme"
    assert told(body, titles={"invoice.credit": "Credit an invoice"}) == "ran Credit an invoice on Acme"
    assert told({**body, "action": "tenant.read"}) == "read 2026-1 of Acme"
    assert told({**body, "action": "lease.refused"}) == "was refused opening Acme: remote_refused"
    assert told({**body, "action": "lease.refused", "error": None}) == "was refused opening Acme: none_now"
    assert told({**body, "tenant": None}) == "ran invoice.credit"
    assert told({**body, "action": "trail.read"}) == "read 7 entries of the trail"
    assert told({**body, "action": "gone.away"}) == "gone.away"


@pytest.mark.parametrize(("verdict", "word"), [("approve", "for"), ("reject", "against"), ("abstain", "on")])
def test_it_tells_how_somebody_voted(verdict: str, word: str) -> None:
    body = body_of(replace(FULL, action="request.vote", facts={"verdict": verdict}))
    assert told(body) == f"voted {word} invoice.credit on Acme"


def test_it_never_reads_a_persons_text_as_a_template() -> None:
    draft = replace(FULL, tenant=TenantRef(id="t", name="{why.__class__}", slug="s", source="lease"))
    assert told(body_of(draft)) == "ran invoice.credit on {why.__class__}"


def test_it_describes_an_actor_as_they_stand() -> None:
    actor = Actor(
        staff=StaffId("stf_1"),
        person=PersonKey("idp|1"),
        name="Mara",
        email="m@example.com",
        roles=frozenset({Role.SUPPORT_LEAD, Role.FINANCE}),
        session=SessionKey("ab"),
        signed_in_by=SignInMethod.OIDC,
        stepped_up_at=NOW - timedelta(seconds=90),
    )
    seen = ActorRef.of(actor, at=NOW)
    assert seen == ActorRef(
        id="stf_1",
        kind=ActorKind.STAFF,
        name="Mara",
        roles=("finance", "support_lead"),
        auth="oidc",
        step_up_age_s=90,
        session="ab",
    )
    assert ActorRef.of(actor, at=NOW - timedelta(hours=1)).step_up_age_s == 0
    assert ActorRef.of(replace(actor, stepped_up_at=None), at=NOW).step_up_age_s is None
    kinds = {kind: ActorRef.of(replace(actor, kind=kind), at=NOW).kind.value for kind in StaffKind}
    assert kinds == {StaffKind.PERSON: "staff", StaffKind.SERVICE: "service", StaffKind.OPERATOR: "operator"}


def test_it_names_tenant_and_voter_as_they_stand() -> None:
    row = DirectoryRow(
        id=TenantId("ten_1"),
        slug="acme",
        name="Acme",
        region="eu",
        plan="pro",
        status=TenantStatus.ACTIVE,
        tier=IsolationTier.SHARED,
        plane=SHARED_PLANE,
    )
    assert TenantRef.of(row, source="lease") == FULL.tenant
    vote = Vote(
        request=RequestId("req_1"),
        revision=1,
        staff=StaffId("stf_2"),
        person=PersonKey("idp|2"),
        name="Ivo",
        verdict=Verdict.APPROVE,
        digest=Digest("d1"),
        roles=frozenset(),
        stepped_up_by=None,
        comment="",
        cast_at=NOW,
    )
    assert FULL.authorisation is not None
    assert (VoteRef.of(vote),) == FULL.authorisation.votes


def test_it_leaves_out_what_an_origin_does_not_say() -> None:
    assert RequestRef.of(Origin(request_id="r", route="/x")) == RequestRef(id="r", route="/x")


def test_it_gives_the_body_before_sealing() -> None:
    entry = Entry(uid="ent_1", ts_us=1, writer=FIRST, draft=FULL)
    assert canonical_bytes(entry.body()) == sealed(FULL)


def test_it_counts_only_what_was_committed() -> None:
    counter = WriterCounter("w1")
    assert counter.next() == counter.next() == FIRST
    counter.staged(b"\x01")
    assert counter.next() == Writer(id="w1", n=2, prev="01")
    counter.staged(b"\x02")
    counter.rolled_back()
    assert counter.next() == FIRST
    counter.staged(b"\x03")
    counter.committed()
    counter.rolled_back()
    assert counter.next() == Writer(id="w1", n=2, prev="03")
    counter.committed()
    assert counter.next() == Writer(id="w1", n=2, prev="03")


@dataclass
class Store:
    """What a database would hold: rows of committed transactions only."""

    kept: list[bytes] = field(default_factory=list)
    open: list[bytes] = field(default_factory=list)


@given(st.lists(st.sampled_from(["write", "commit", "roll back"]), max_size=30))
def test_it_leaves_no_gap_whatever_commits(steps: list[str]) -> None:
    counter, store = WriterCounter("w1"), Store()
    for step in [*steps, "commit"]:
        if step == "write":
            raw = sealed(EntryDraft(action="home.read", actor=STRANGER), writer=counter.next())
            store.open.append(raw)
            counter.staged(leaf_hash(raw))
        elif step == "commit":
            store.kept += store.open
            store.open.clear()
            counter.committed()
        else:
            store.open.clear()
            counter.rolled_back()
    before: str | None = None
    for n, raw in enumerate(store.kept, start=1):
        assert json.loads(raw)["w"] == ["w1", n, before]
        before = leaf_hash(raw).hex()
