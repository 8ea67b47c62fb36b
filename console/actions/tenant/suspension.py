"""What suspending and resuming a tenant share."""

from console.domain.access_changes import access_effect, behind, loss_warnings, resumed, suspended
from console.domain.changes import Applied, Change, Preview
from console.domain.effective_store import what_if
from console.domain.tenancy import TenantStatus
from console.ports.action_tools import Tools
from console.ports.actions import Fault


def preview_status(
    to: TenantStatus, *, tools: Tools, sentence: str, customer: str, because: str | None = None
) -> Preview:
    """Return the change of status and of access; raises Fault when the tenant already has it or is closed."""
    account, inputs = tools.plane().account(), tools.plane().inputs()
    _check(account.status, to)
    then = suspended(inputs, because) if to is TenantStatus.SUSPENDED else resumed(inputs)
    effects = what_if(inputs, then, tools.now)
    lost = loss_warnings(effects)
    return Preview(
        sentence=sentence,
        changes=(Change(field="Status", before=account.status.value, after=to.value),),
        fingerprint={"account_version": account.version, "entitlement_version": account.entitlement_version},
        warnings=("Every member loses access at once.", *lost) if to is TenantStatus.SUSPENDED else lost,
        customer=customer,
        target_id=account.tenant,
        access=access_effect(effects, also=behind(tools.plane().effective_set(), inputs, tools.now)),
    )


def apply_status(to: TenantStatus, *, tools: Tools, because: str | None) -> Applied:
    """Change the status on the plane and let the directory follow; raises Fault when somebody was faster."""
    plane = tools.plane()
    account = plane.account()
    _check(account.status, to)
    if not plane.set_status(to, because=because, version=account.version):
        raise Fault("tenant", "The tenant changed meanwhile; look at it again.")
    if tools.control is not None:
        tools.control.set_directory_status(to.value)
    return Applied(
        sentence=f"The tenant is {to.value} now.",
        changes=(Change(field="Status", before=account.status.value, after=to.value),),
    )


def _check(now: TenantStatus, to: TenantStatus) -> None:
    if now is TenantStatus.CLOSED:
        raise Fault("tenant", "A closed tenant can be neither suspended nor resumed.")
    if (now is TenantStatus.SUSPENDED) == (to is TenantStatus.SUSPENDED):
        raise Fault("tenant", f"The tenant is {now.value} already; there is nothing to change.")
