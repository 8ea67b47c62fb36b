"""`sallyport reconcile`: start a reconciliation, see how runs stand, and what can be found at all."""

import click

from console.cli.asking import ask_for, refusal_lines, tell
from console.cli.exits import CommandFault, Exit
from console.cli.output import as_json_option, plain, say, say_json, say_table
from console.cli.shell import Shell, pass_shell
from console.domain.billing.money import worded
from console.domain.decisions import Deny
from console.domain.ids import ActionKey, ReasonCode
from console.domain.reasons import Reason
from console.domain.reconciling.catalogue import KINDS
from console.domain.reconciling.findings import ReconciliationId
from console.domain.reconciling.runs import KindTotal, Reconciliation
from console.usecases.find_tenant import find_tenant
from console.usecases.read_reconciliation import read_run, read_runs

_FLEET, _TENANT = ActionKey("reconciliation.start"), ActionKey("reconciliation.start_tenant")
_REASON = "BILLING_RECONCILIATION"


@click.group()
def reconcile() -> None:
    """Compare the billing provider, the mirror and access, and see what runs found.

    Example: sallyport reconcile show
    """


@reconcile.command()
@click.option("--tenant", help="Slug or id of one tenant; the whole fleet when left out.")
@click.option("--reason", default=_REASON, show_default=True, help="A reason code that the action accepts.")
@click.option("--reference", required=True, help="Invoice, finding or run behind it, e.g. RUN-2026-11.")
@as_json_option
@pass_shell
def run(shell: Shell, *, tenant: str | None, reason: str, reference: str, as_json: bool) -> None:
    """Ask for a run by the governed action, as the operator: policy decides, and by itself it refuses the operator.

    Example: sallyport reconcile run --reference RUN-2026-11
    """
    why = Reason(code=ReasonCode(reason), reference=reference)
    with shell.opened() as (rooms, actor):
        place = None if tenant is None else find_tenant(rooms.house, slug=tenant).id
        key = _FLEET if place is None else _TENANT
        answer = ask_for(rooms, actor, key=key, raw={}, reason=why, tenant=place)
    tell(answer, as_json=as_json)


@reconcile.command()
@click.argument("run_id", metavar="[RUN]", required=False)
@as_json_option
@pass_shell
def show(shell: Shell, run_id: str | None, *, as_json: bool) -> None:
    """Show one run with its figures by kind, or the newest runs; no value of a tenant is among them.

    Example: sallyport reconcile show
    """
    with shell.opened() as (rooms, actor):
        if run_id is None:
            runs = read_runs(rooms.house, actor, tenant=None, before=None)
            answer = runs if isinstance(runs, Deny) else list(runs.runs)
        else:
            page = read_run(rooms.house, actor, run=ReconciliationId(run_id))
            answer = page if isinstance(page, Deny) else [page.run]
    if isinstance(answer, Deny):
        raise CommandFault(refusal_lines(answer), Exit.REFUSED)
    if as_json:
        say_json([plain(each) for each in answer])
    elif run_id is None:
        say_table(("RUN", "SCOPE", "STATE", "TENANTS", "FOUND", "HEALED", "BEGAN"), [_row(each) for each in answer])
    else:
        say(*_lines(answer[0]))


@reconcile.command()
@as_json_option
def kinds(*, as_json: bool) -> None:
    """List every kind of discrepancy that a run can find, who repairs it, and by which action.

    Example: sallyport reconcile kinds
    """
    if as_json:
        say_json([plain(kind) for kind in KINDS.values()])
        return
    rows = [
        (str(each.number), each.key, each.repair.value, each.action or "-", "yes" if each.heals else "no")
        for each in KINDS.values()
    ]
    say_table(("ROW", "KIND", "CLASS", "ACTION", "HEALS"), rows)


def _row(run: Reconciliation) -> tuple[str, ...]:
    began = "-" if run.began_at is None else f"{run.began_at:%Y-%m-%d %H:%M}"
    found, healed = run.counts.get("seen", 0), run.counts.get("healed", 0)
    compared = f"{run.counts.get('tenants', 0):,}/{run.tenants_total:,}"
    return run.id, run.scope, run.state.value, compared, f"{found:,}", f"{healed:,}", began


def _lines(run: Reconciliation) -> list[str]:
    head = f"{run.id} over {run.scope}: {run.state.value}" + (f" ({run.because})" if run.because else "")
    figures = [f"  {name}: {many:,}" for name, many in sorted(run.counts.items())]
    kinds = [f"  {key}: {total.count:,}{_at_risk(total)}" for key, total in sorted(run.found.items())]
    digests = [f"  inputs {run.inputs_digest or '-'}", f"  findings {run.findings_digest or '-'}"]
    return [head, *figures, "Found by kind:", *(kinds or ["  nothing"]), "Digests:", *digests]


def _at_risk(total: KindTotal) -> str:
    amounts = ", ".join(worded(minor, currency) for currency, minor in sorted(total.at_risk.items()))
    return f", {amounts} at risk" if amounts else ""
