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
from console.domain.ids import LeaseId, RequestId
from console.domain.requests import Request, State, Verdict
from console.ports.sequencer import Sequencer
from console.usecases.execute_request import execute_request
from console.usecases.open_lease import end_lease
from console.usecases.outcomes import Drifted, Ran, Waiting
from console.usecases.vote_on_request import Voted, vote_on_request
from tests.integration.stage import FAR, NOTE, OVERRIDE, UNTIL, Stage, book, by_hand, opened_stage
from tests.web.cast import PEOPLE

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


def sequencer_in(stage: Stage, folder: Path) -> Sequencer:
    """Return the sequencer whose key and checkpoints lie outside the database."""
    key = FileSigningKey.opened(folder / "trail.key", name=ORIGIN)
    return stage.storage.sequencer(key, CheckpointFolder(folder / "checkpoints"))


def acknowledge(did: str, thing: str, **more: object) -> None:
    """Tell the parent that something is committed; one write, so that lines of threads never mix."""
    os.write(1, (json.dumps({"did": did, "id": thing, **more}) + "\n").encode())


@dataclass
class Worker:
    """One person at work: files, has it approved, runs it, leaves notes, opens and closes tenants."""

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
        if chance < 0.15:
            self.note(slug)
        elif chance < 0.25:
            self.look()
        elif self.ready and chance < 0.7:
            self.run(self.ready.popleft())
        elif self.waiting and chance < 0.9:
            self.approve(self.waiting.popleft())
        else:
            self.file(slug)

    def file(self, slug: str) -> None:
        """Ask for an override."""
        raw = {"feature": "seats", "value": str(self.dice.randrange(200, 800)), "until": UNTIL}
        answer = self.stage.ask(self.who, slug, OVERRIDE, raw)
        if isinstance(answer, Waiting):
            acknowledge("filed", answer.request.id)
            self.waiting.append(answer.request)

    def approve(self, request: Request) -> None:
        """Let everybody look and agree whose word is needed."""
        for need in request.needs:
            who = self.dice.choice([key for key, each in PEOPLE.items() if each.role in need.roles and key != self.who])
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
