"""A process that serves mixed actions as fast as it can until it is killed; every one that is done it acknowledges.

Told url, far, folder and seed. Prints one JSON line for each thing that was committed: {"did": ..., "id": ...}.
"""

import json
import os
import random
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from console.adapters.checkpoint_folder import CheckpointFolder
from console.adapters.clock import SystemClock
from console.adapters.signing_key import FileSigningKey
from console.domain.decisions import Deny
from console.domain.ids import ActionKey, LeaseId, RequestId
from console.domain.imports import MemberRecord, member_id_of
from console.domain.requests import Request, State, Verdict
from console.domain.staff import Role
from console.domain.tenancy import TenantStatus
from console.ports.sequencer import Sequencer
from console.usecases.change_request import cancel_request, revise_request, revoke_request
from console.usecases.execute_request import execute_request
from console.usecases.open_lease import end_lease
from console.usecases.outcomes import Drifted, Ran, Waiting
from console.usecases.vote_on_request import Voted, vote_on_request
from tests.integration.stage import FAR, NOTE, OVERRIDE, SUSPEND, UNTIL, Stage, book, by_hand, opened_stage, tenant
from tests.web.cast import LONG_AGO, PEOPLE

# Each person works on one tenant beside the control store, one on the far plane, and opens a third for a look.
WORKERS: Mapping[str, tuple[str, str, str]] = {
    "support_agent": ("near0", "far0", "near1"),
    "support_agent_2": ("near1", "far1", "near2"),
    "support_lead": ("near2", "far2", "near3"),
    "support_lead_2": ("near3", "far3", "near0"),
}
NEAR = tuple(near for near, _far, _look in WORKERS.values())
FAR_AWAY = tuple(far for _near, far, _look in WORKERS.values())
ORIGIN = "tests/audit/1"
REVEAL, RESUME = ActionKey("member.reveal"), ActionKey("tenant.resume")


def member_record(slug: str) -> MemberRecord:
    """Return a member of a tenant whose address can be shown."""
    return MemberRecord(
        tenant=slug, external_id="m1", name="Ada Field", email=f"ada@{slug}.example", phone=None,
        role="owner", is_active=True, joined_at=LONG_AGO, last_seen_at=None,
    )  # fmt: skip


def inhabit(stage: Stage) -> None:
    """Give each tenant a member whose address can be shown."""
    with stage.storage.bulk.write() as bulk:
        bulk.put([member_record(slug) for slug in (*NEAR, *FAR_AWAY)])


def sequencer_in(stage: Stage, folder: Path) -> Sequencer:
    """Return the sequencer whose key and checkpoints lie outside the database."""
    key = FileSigningKey.opened(folder / "trail.key", name=ORIGIN)
    return stage.storage.sequencer(key, CheckpointFolder(folder / "checkpoints"))


def acknowledge(did: str, thing: str, **more: object) -> None:
    """Tell the parent that something is committed; one write, so that lines of threads never mix."""
    os.write(1, (json.dumps({"did": did, "id": thing, **more}) + "\n").encode())


@dataclass
class Worker:
    """One person at work: files, changes, withdraws, has judged and runs, looks, suspends, opens and closes tenants."""

    stage: Stage
    who: str
    dice: random.Random
    waiting: deque[Request] = field(default_factory=deque)
    ready: deque[RequestId] = field(default_factory=deque)
    looked_at: LeaseId | None = None

    def begin(self) -> None:
        """Open the two tenants of this person."""
        for slug in WORKERS[self.who][:2]:
            acknowledge("opened", self.stage.open(self.who, slug).id)

    def act(self) -> None:
        """Do one thing, whichever comes up."""
        slug = self.dice.choice(WORKERS[self.who][:2])
        chance = self.dice.random()
        if chance < 0.11:
            self.note(slug)
        elif chance < 0.16:
            self.reveal(slug)
        elif chance < 0.26 and PEOPLE[self.who].role is Role.SUPPORT_LEAD:
            self.suspend_or_resume(slug)
        elif chance < 0.31:
            self.look()
        elif self.ready and chance < 0.7:
            self.run_or_stop(self.ready.popleft())
        elif self.waiting and chance < 0.92:
            self.judge_or_change(self.waiting.popleft())
        else:
            self.file(slug)

    def judge_or_change(self, request: Request) -> None:
        """Have a request approved, mostly; some are rejected, withdrawn, or asked for otherwise."""
        chance = self.dice.random()
        if chance < 0.12:
            self.reject(request)
        elif chance < 0.22:
            self.cancel(request.id)
        elif chance < 0.38 and request.action == OVERRIDE:
            self.revise(request)
        else:
            self.approve(request)

    def run_or_stop(self, request: RequestId) -> None:
        """Run what is approved, mostly; some is revoked or withdrawn before."""
        chance = self.dice.random()
        if chance < 0.3:
            self.revoke(request)
        elif chance < 0.4:
            self.cancel(request)
        else:
            self.run(request)

    def file(self, slug: str) -> None:
        """Ask for an override."""
        raw = {"feature": "seats", "value": str(self.dice.randrange(200, 800)), "until": UNTIL}
        answer = self.stage.ask(self.who, slug, OVERRIDE, raw)
        if isinstance(answer, Waiting):
            acknowledge("filed", answer.request.id)
            self.waiting.append(answer.request)

    def approve(self, request: Request) -> None:
        """Let everybody look and agree whose word is needed."""
        agreed: set[str] = set()
        for need in request.needs:
            who = self.judge(need.roles, but=agreed)
            agreed.add(who)
            self.stage.see(who, request.id)
            answer = vote_on_request(
                self.stage.house,
                self.stage.actor(who),
                request_id=request.id,
                digest=request.digest,
                verdict=Verdict.APPROVE,
            )
            if isinstance(answer, Voted):
                acknowledge("voted", request.id)
                if isinstance(answer.execution, Ran):
                    acknowledge("ran", request.id)
                elif answer.request.state is State.APPROVED and answer.execution is None:
                    self.ready.append(request.id)

    def judge(self, roles: frozenset[Role], *, but: set[str]) -> str:
        """Return somebody else who may take a seat and has not yet."""
        able = [key for key, each in PEOPLE.items() if each.role in roles and key not in {self.who, *but}]
        return self.dice.choice(able)

    def reject(self, request: Request) -> None:
        """Let somebody who might have agreed say no."""
        who = self.judge(request.needs[0].roles, but=set())
        self.stage.see(who, request.id)
        answer = vote_on_request(
            self.stage.house,
            self.stage.actor(who),
            request_id=request.id,
            digest=request.digest,
            verdict=Verdict.REJECT,
            comment="No contract says so.",
        )
        if isinstance(answer, Voted):
            acknowledge("rejected", request.id)

    def cancel(self, request: RequestId) -> None:
        """Withdraw what was asked for."""
        answer = cancel_request(self.stage.house, self.stage.actor(self.who), request_id=request)
        if isinstance(answer, Request):
            acknowledge("cancelled", request)

    def revoke(self, request: RequestId) -> None:
        """Let an approver take the approval back."""
        who = self.judge(self.stage.now(request).needs[0].roles, but=set())
        answer = revoke_request(self.stage.house, self.stage.actor(who), request_id=request, because="A mistake.")
        if isinstance(answer, Request):
            acknowledge("revoked", request)

    def revise(self, request: Request) -> None:
        """Ask for another value instead."""
        raw = {"feature": "seats", "value": str(self.dice.randrange(800, 1_600)), "until": UNTIL}
        answer = revise_request(self.stage.house, self.stage.actor(self.who), request_id=request.id, raw=raw, mark=None)
        if isinstance(answer, Request):
            acknowledge("revised", request.id, revision=answer.revision)
            self.waiting.append(answer)

    def suspend_or_resume(self, slug: str) -> None:
        """Ask that nobody of a tenant can sign in any more, or that they can again."""
        with self.stage.storage.store.read() as unit:
            row = unit.directory.get(tenant(slug))
        is_shut = row is not None and row.status is TenantStatus.SUSPENDED
        key, raw = (RESUME, {}) if is_shut else (SUSPEND, {"because": "Many cards, one address."})
        answer = self.stage.ask(self.who, slug, key, raw)
        if isinstance(answer, Waiting):
            acknowledge("filed", answer.request.id)
            self.waiting.append(answer.request)
        elif isinstance(answer, Ran):
            acknowledge("ran", answer.request.id)

    def reveal(self, slug: str) -> None:
        """Look at a member's address."""
        answer = self.stage.ask(self.who, slug, REVEAL, {"member": member_id_of(slug, "m1"), "field": "email"})
        if isinstance(answer, Ran):
            acknowledge("ran", answer.request.id, revealed=True)

    def run(self, request: RequestId) -> None:
        """Run what is approved; another override may have been faster, then it is out of date."""
        answer = execute_request(self.stage.house, self.stage.actor(self.who), request_id=request)
        if isinstance(answer, Ran):
            acknowledge("ran", request)
        elif isinstance(answer, Drifted):
            acknowledge("stale", request)

    def note(self, slug: str) -> None:
        """Leave a note, which nobody has to approve."""
        answer = self.stage.ask(self.who, slug, NOTE, {"text": f"Called back, {self.dice.random()}."})
        if isinstance(answer, Ran):
            acknowledge("ran", answer.request.id)

    def look(self) -> None:
        """Open a third tenant, or close it again."""
        if self.looked_at is None:
            self.looked_at = self.stage.open(self.who, WORKERS[self.who][2]).id
            acknowledge("opened", self.looked_at)
            return
        refusal = end_lease(self.stage.house, self.stage.actor(self.who), lease=self.looked_at)
        if not isinstance(refusal, Deny):
            acknowledge("ended", self.looked_at)
        self.looked_at = None

    def work(self, stop: threading.Event) -> None:
        """Act until told to stop, or killed."""
        self.begin()
        while not stop.is_set():
            self.act()


def serve(told: Mapping[str, str]) -> None:
    """Work with four people and a sequencer until the process is killed; a fault of any of them ends it."""
    seed, stop, broken = int(told["seed"]), threading.Event(), list[BaseException]()
    policy = by_hand(book(), OVERRIDE) if seed % 2 else book()
    with opened_stage(told["url"], {FAR: told["far"]}, clock=SystemClock(), policy=policy) as stage:
        sequencer = sequencer_in(stage, Path(told["folder"]))

        def place() -> None:
            while not stop.wait(0.02):
                sequencer.run_once()

        def guarded(run: object) -> None:
            try:
                run()  # type: ignore[operator]
            except BaseException as fault:  # noqa: BLE001  told to the parent by the exit code
                broken.append(fault)
                stop.set()

        people = [Worker(stage, who, random.Random(f"{seed} {who}")) for who in WORKERS]
        runs = [place, *[lambda worker=worker: worker.work(stop) for worker in people]]
        threads = [threading.Thread(target=guarded, args=(run,)) for run in runs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    raise broken[0]
