"""`sallyport trail`: read the trail and prove it whole."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import click

from console.cli.asking import refusal_lines
from console.cli.exits import CommandFault, Exit
from console.cli.output import as_json_option, fields_of, progress_bar, say, say_json
from console.cli.shell import Shell, pass_shell
from console.domain.decisions import Deny, NeedsStepUp
from console.domain.entries import told
from console.domain.ids import EntryUid, StaffId
from console.ports.sequencer import Verification
from console.ports.trail import EntryFilter, StoredEntry
from console.usecases.find_tenant import find_tenant
from console.usecases.read_trail import read_entry, read_trail
from console.usecases.verify_trail import verify_trail

_DAY = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"])


@click.group()
def trail() -> None:
    """Read the trail, and prove that nothing is missing.

    Example: sallyport trail verify
    """


@trail.command()
@click.argument("uid", required=False)
@click.option("--tenant", help="Slug or id.")
@click.option("--actor", help="Id of a staff member.")
@click.option("--action", help="An entry action, e.g. request.approved.")
@click.option("--outcome", type=click.Choice(["success", "denied", "failed", "unknown"]))
@click.option("--since", type=_DAY, help="First moment, UTC.")
@click.option("--until", type=_DAY, help="First moment that is too late, UTC.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many, newest first.")
@as_json_option
@pass_shell
def show(
    shell: Shell,
    uid: str | None,
    *,
    tenant: str | None,
    actor: str | None,
    action: str | None,
    outcome: str | None,
    since: datetime | None,
    until: datetime | None,
    limit: int,
    as_json: bool,
) -> None:
    """Show one entry by its uid, or the newest that fit; the reading is itself an entry.

    Example: sallyport trail show --action request.approved --since 2026-11-01 --json
    """
    with shell.opened() as (rooms, operator):
        if uid is not None:
            entry = read_entry(rooms.house, operator, uid=EntryUid(uid))
            entries = [_granted(entry)]
        else:
            row = None if tenant is None else find_tenant(rooms.house, slug=tenant)
            wanted = EntryFilter(
                tenant=None if row is None else row.id,
                actor=None if actor is None else StaffId(actor),
                action=action,
                outcome=outcome,
                since=_utc(since),
                until=_utc(until),
            )
            entries = []
            before: int | None = None
            while len(entries) < limit:
                page = _granted(read_trail(rooms.house, operator, wanted=wanted, before=before))
                entries += page.entries
                before = page.older
                if before is None:
                    break
        titles = {str(key): action.title for key, action in rooms.house.registry.items()}
    _tell(entries[:limit], titles, as_json=as_json, is_whole=uid is not None)


@trail.command()
@as_json_option
@pass_shell
def head(shell: Shell, *, as_json: bool) -> None:
    """Show the newest signed checkpoint: how many entries, and which root.

    Example: sallyport trail head
    """
    with shell.opened() as (rooms, operator):
        page = _granted(read_trail(rooms.house, operator, wanted=EntryFilter(), before=None))
    newest = page.checkpoint
    if as_json:
        say_json(newest)
    elif newest is not None:
        say(f"{newest.size:,} entries at {newest.at:%Y-%m-%d %H:%M:%S} UTC, root {newest.root.hex()}", "")
        say(*newest.note.splitlines())
    else:
        say("There is no checkpoint yet: the worker writes the first one.")


@trail.command()
@as_json_option
@pass_shell
def verify(shell: Shell, *, as_json: bool) -> None:
    """Prove every entry, the tree and every published checkpoint; names the first wrong entry.

    Example: sallyport trail verify --json
    """
    with shell.opened() as (rooms, operator), progress_bar("verifying", 100) as advanced:
        found: Verification = _granted(verify_trail(rooms.house, rooms.sequencer, operator, progress=_shown(advanced)))
    if as_json:
        say_json({**fields_of(found), "is_sound": found.is_sound, "is_unproven": found.is_unproven})
    else:
        say(*_verdict(found))
    if not found.is_sound:
        raise CommandFault([], Exit.FAILED)


def _shown(advanced: Callable[[float, str], None]) -> Callable[[int, int], None]:
    return lambda done, total: advanced(done * 100 / max(total, 1), f"{done:,} of {total:,} entries")


def _verdict(found: Verification) -> Iterator[str]:
    counts = f"{found.sequenced:,} entries, {found.checkpoints:,} checkpoints, {found.pending:,} without a place yet"
    if found.is_sound:
        yield f"The trail is whole: {counts}. Root {found.root.hex()}."
    elif found.is_unproven:
        yield f"NOTHING IS PROVEN YET: {counts}. The worker signs the first checkpoint: sallyport worker --once."
        yield "In a house that has run before, a checkpoint is missing: take it for an incident (docs/operations.md)."
    else:
        yield f"THE TRAIL IS NOT WHOLE: {counts}; {len(found.findings)} findings, the first one first:"
    for finding in found.findings:
        place = "" if finding.position is None else f" at position {finding.position}"
        uid = "" if finding.uid is None else f" [{finding.uid}]"
        yield f"  {finding.kind.value}{place}: {finding.sentence}{uid}"
    if found.dangling_intents:
        yield f"{len(found.dangling_intents)} executions have no outcome yet: recovery asks their planes."


def _granted(answer: Any) -> Any:  # noqa: ANN401  whatever a use case gives when it does not refuse
    if isinstance(answer, Deny | NeedsStepUp):
        raise CommandFault(refusal_lines(answer), Exit.REFUSED)
    return answer


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=UTC)


def _tell(entries: list[StoredEntry], titles: Mapping[str, str], *, as_json: bool, is_whole: bool) -> None:
    bodies = [json.loads(entry.body) for entry in entries]
    if as_json:
        say_json(bodies[0] if is_whole else bodies)
    elif is_whole:
        say(*json.dumps(bodies[0], ensure_ascii=False, indent=2).splitlines())
    else:
        for body in bodies:
            moment = datetime.fromtimestamp(body["ts_us"] / 1_000_000, UTC)
            say(f"{moment:%Y-%m-%d %H:%M:%S}  {body['actor']['name']} {told(body, titles=titles)}  [{body['uid']}]")
