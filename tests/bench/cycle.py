"""One full request cycle by two people: propose, read, vote, execute; beside as many raw statements and commits."""

import random
from datetime import UTC, datetime, timedelta

from tests.bench.callers import Answer, Caller
from tests.bench.counting import Counted, counted
from tests.bench.pages import WrongAnswerError
from tests.bench.stage import AGENT, CONTRACT, LEAD, Stage
from tests.bench.tables import Result, Samples, Table, compared
from tests.bench.world import LARGEST

AIM = 5.0
_HREF = f"/t/{LARGEST}/actions/entitlement.override"
_MOST_STATEMENTS = 420
_HEADS = ("item", "what", "ours p50/p99 ms", "floor p50/p99", "ratio", "aim", "requests", "statements", "commits")


def run_once(agent: Caller, lead: Caller, dice: random.Random) -> list[Answer]:
    """Ask for an override, approve it, run it, and see it executed."""
    until = (datetime.now(UTC) + timedelta(days=dice.randrange(20, 300))).date().isoformat()
    typed = {"feature": "seats", "value": str(dice.randrange(31, 110)), "until": until}
    reason = {
        "reason_code": CONTRACT.code, "reason_reference": CONTRACT.reference, "reason_note": "Signed by the customer",
    }  # fmt: skip
    # 1. propose
    shown = agent.send("GET", _HREF)
    token = {"csrf_token": shown.token()}
    seen = agent.send("POST", _HREF, {**shown.carried(), **typed, **token, "step": "preview"})
    again = agent.send("POST", _HREF, {**seen.carried(), **typed, **reason, **token, "step": "preview"})
    asked = agent.send("POST", _HREF, {**again.carried(), **typed, **reason, **token, "step": "ask"})
    if asked.status != 303 or "/requests/" not in asked.location:
        message = f"The request was not filed: {asked.status} {asked.text[:3_000]}"
        raise WrongAnswerError(message)
    # 2. read and vote
    page = lead.send("GET", asked.location)
    digest = page.text.partition('name="digest" value="')[2].partition('"')[0]
    vote = {"verdict": "approve", "digest": digest, "comment": "", "csrf_token": page.token()}
    voted = lead.send("POST", f"{asked.location}/votes", vote)
    # 3. run, unless the last vote did
    answers = [shown, seen, again, asked, page, voted]
    after = agent.send("GET", asked.location)
    answers.append(after)
    if "/execution" in after.text:
        answers.append(agent.send("POST", f"{asked.location}/execution", token))
        answers.append(agent.send("GET", asked.location))
    if voted.status != 303 or "xecuted" not in answers[-1].text:
        message = f"The request was not executed ({voted.status}): {answers[-1].text[:6_000]}"
        raise WrongAnswerError(message)
    return answers


def count(stage: Stage) -> tuple[Counted, int]:
    """Return statements and requests of one cycle, inside this process.

    Raises: WrongAnswerError, TooManyStatementsError.
    """
    dice = random.Random(7)
    people = stage.inside(AGENT), stage.inside(LEAD)
    stage.forget()
    run_once(*people, dice)
    stage.forget()
    with counted(stage.building.storage.engines()) as found:
        answers = run_once(*people, dice)
    found.hold("cycle", most=_MOST_STATEMENTS)
    return found, len(answers)


def table(stage: Stage, *, agent: Caller, lead: Caller, floor: Caller, rounds: int) -> Table:
    """Measure whole cycles beside raw work of the same size: as many requests, statements and durable commits."""
    counts, requests = count(stage)
    work = {
        "reads": str(round(counts.reads / requests)),
        "writes": str(round(counts.writes / requests)),
        "commits": str(max(1, round(counts.commits / requests))),
    }
    dice = random.Random(11)
    ours: list[float] = []
    raw: list[float] = []
    for _ in range(rounds):
        stage.forget()
        for caller in (agent, lead, floor):
            caller.refresh()
        ours.append(sum(answer.seconds for answer in run_once(agent, lead, dice)))
        raw.append(sum(floor.send("POST", "/work", work).seconds for _ in range(requests)))
    cells = compared(Samples(tuple(ours)), Samples(tuple(raw)), aim=AIM)
    sent = f"{counts.reads}r + {counts.writes}w"
    line = Result(key="cycle", cells=("propose, read, vote, execute", *cells, str(requests), sent, str(counts.commits)))
    return Table(
        title="Request cycle",
        heads=_HEADS,
        results=(line,),
        note="The floor: as many requests, each with the same share of raw reads, inserts and durable commits.",
    )
