"""What each tenant permits, and how it wants to be told."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from console.domain.ids import TenantId
from console.domain.trust.access_policy import DEFAULT_POLICY, AccessPolicy, ImpersonationRule, Notify
from console.storage.rows import add_unless_taken, changed
from console.storage.trust_tables import AccessPolicyRow


class StoredAccessPolicies:
    """The AccessPolicyBook of one unit."""

    def __init__(self, session: Session) -> None:
        """Work inside the unit's transaction."""
        self._session = session

    def of(self, tenant: TenantId) -> AccessPolicy:
        """Return a tenant's policy; the default where nobody set one."""
        row = self._session.scalar(select(AccessPolicyRow).where(AccessPolicyRow.tenant == tenant))
        if row is None:
            return DEFAULT_POLICY
        return AccessPolicy(
            impersonation=ImpersonationRule(row.impersonation), notify=Notify(row.notify), version=row.version
        )

    def put(self, tenant: TenantId, policy: AccessPolicy, *, by: str, at: datetime) -> bool:
        """Store a policy in place of version `policy.version`; False when somebody was faster."""
        values = {
            "impersonation": policy.impersonation,
            "notify": policy.notify,
            "set_at": at,
            "set_by": by,
            "version": policy.version + 1,
        }
        if policy.version == 0:
            return add_unless_taken(self._session, AccessPolicyRow, {"tenant": tenant, **values})
        row = AccessPolicyRow
        same = update(row).where(row.tenant == tenant, row.version == policy.version)
        return changed(self._session, same.values(**values)) == 1
