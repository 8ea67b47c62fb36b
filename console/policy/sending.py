"""Reads the numbers of sending and of jobs from sending.toml."""

from dataclasses import fields

from console.domain.jobs import JobRules
from console.domain.retries import WaitRules
from console.domain.sending import SendingRules
from console.policy.tables import Table

_LISTS = frozenset({"retry_seconds", "run_retry_seconds"})


def read_jobs(sending: Table) -> JobRules:
    """Return the numbers of jobs, which stand beside those of sending."""
    table = sending.table("jobs")
    if table is None:
        return JobRules(lease_seconds=1, retry_seconds=(1,))  # the fault is noted, nothing is built from this
    rules = JobRules(lease_seconds=table.number("lease_seconds"), retry_seconds=table.numbers("retry_seconds"))
    table.done()
    return rules


def read_sending(table: Table) -> SendingRules:
    """Return the numbers of sending; every key is wanted, and no other."""
    waits = WaitRules(
        **{  # type: ignore[arg-type]  # the two lists are told apart by name
            each.name: table.numbers(each.name) if each.name in _LISTS else table.number(each.name)
            for each in fields(WaitRules)
        }
    )
    counts = {each.name: table.number(each.name) for each in fields(SendingRules) if each.name != "waits"}
    table.done()
    return SendingRules(waits=waits, **counts)
