"""Scopes of jobs: one tenant, never another."""

from datetime import timedelta

import pytest

from console.domain.ids import TenantId
from console.domain.tenancy import ScopeBasis
from console.usecases.job_outcomes import JobRefusedError
from console.usecases.scopes import SYSTEM, scope_of_job
from tests.unit.fakes import NOON, TENANT, directory_row
from tests.unit.webhook_fakes import job

LEASED = NOON + timedelta(minutes=2)


def test_it_opens_the_tenant_of_the_job_for_as_long_as_its_lease() -> None:
    scope = scope_of_job(job(tenant=TENANT, lease_until=LEASED), directory_row(), now=NOON)
    assert (scope.tenant, scope.basis, scope.not_after) == (TENANT, ScopeBasis.JOB, LEASED)


def test_it_opens_no_other_tenant() -> None:
    with pytest.raises(JobRefusedError, match="another tenant"):
        scope_of_job(job(tenant=TenantId("ten_other")), directory_row(), now=NOON)


def test_it_opens_the_tenant_that_a_job_of_the_house_looked_up() -> None:
    scope = scope_of_job(job(tenant=None), directory_row(), now=NOON)
    assert (scope.staff, scope.not_after) == (SYSTEM, NOON)
