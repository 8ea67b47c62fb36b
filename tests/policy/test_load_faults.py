"""A policy folder with a fault stops the start, with one line per fault that says how to mend it."""

from pathlib import Path

import pytest

from console.domain.ids import ActionKey
from console.domain.reasons import Effect
from console.policy.book import PolicyFaultsError
from console.policy.load import load_book
from tests.policy.folders import Edit, add, copied, drop, swap
from tests.policy.governed import GOVERNED, POLICIES

PERMIT = '@reason("Because.")\npermit(principal in Role::"engineer", action == Action::"tenant.read", resource);'
FORBID = 'forbid(principal, action == Action::"tenant.read", resource) when { context.facts.page == "x" };'


def _without_rules(folder: Path) -> None:
    for path in folder.glob("*.cedar"):
        path.unlink()


def _with_bytes(folder: Path) -> None:
    (folder / "x.cedar").write_bytes(b"\xff")


FAULTS: list[tuple[str, list[Edit], list[str]]] = [
    # --- files ---
    ("a missing file", [drop("limits.toml")], ["policies/limits.toml: is missing"]),
    ("no cedar files", [_without_rules], ["holds no .cedar file"]),
    ("a file nobody reads", [add("entitlement.cedr", "")], ["policies/entitlement.cedr: nothing reads this file"]),
    (
        "a file not in UTF-8",
        [_with_bytes],
        ["policies/x.cedar: is not UTF-8"],
    ),
    (
        "three files with bad syntax",
        [add("limits.toml", "= 3"), add("desk.cedar", "permit("), add("staff.cedarschema", "entity")],
        [
            "policies/limits.toml: cannot be read",
            "policies/desk.cedar: Cedar cannot read it",
            "policies/*.cedarschema: the schema cannot be read",
        ],
    ),
    ("an unusual schema", [add("staff.cedarschema", "namespace X { entity Y; }")], ["namespace"]),
    # --- Cedar ---
    ("no @id", [add("x.cedar", PERMIT)], ["policies/x.cedar: policy number 1 has no @id"]),
    (
        "a used @id",
        [add("x.cedar", '@id("tenant.read")' + PERMIT)],
        ["'tenant.read' is used already in policies/tenants.cedar"],
    ),
    (
        "no @reason",
        [swap("tenants.cedar", '@reason("Whoever holds the lease reads', '@tier("x") // ("')],
        ["tenant.read has no @reason"],
    ),
    (
        "no deny code",
        [add("x.cedar", f'@id("x.y") @reason("R.") @remedy("M.") {FORBID}')],
        ["x.y forbids with @deny('')"],
    ),
    (
        "an unknown deny code",
        [add("x.cedar", f'@id("x.y") @reason("R.") @remedy("M.") @deny("nope") {FORBID}')],
        ["x.y forbids with @deny('nope')"],
    ),
    ("no remedy", [add("x.cedar", f'@id("x.y") @reason("R.") @deny("no_lease") {FORBID}')], ["x.y has no @remedy"]),
    (
        "a tier on a forbid",
        [add("x.cedar", f'@id("x.y") @reason("R.") @remedy("M.") @deny("no_lease") @tier("paid") {FORBID}')],
        ["x.y is a forbid and has @tier"],
    ),
    (
        "a deny on a permit",
        [add("x.cedar", f'@id("x.y") @deny("no_lease") {PERMIT}')],
        ["x.y is a permit and has @deny"],
    ),
    (
        "an unknown annotation",
        [add("x.cedar", f'@id("x.y") @reson("R") {PERMIT}')],
        ["x.y has the unknown annotation @reson"],
    ),
    (
        "an unknown placeholder",
        [swap("tenants.cedar", "{tenants_per_hour}", "{tenants_an_hour}")],
        ["lease.hour_budget speaks of {tenants_an_hour}"],
    ),
    (
        "a blanket permit",
        [add("x.cedar", '@id("x.y") @reason("R.") permit(principal, action, resource);')],
        ["x.y permits every action", "x.y permits without naming a role or a kind"],
    ),
    (
        "a template",
        [
            add(
                "x.cedar",
                '@id("x.y") @reason("R.") permit(principal == ?principal, action == Action::"home.read", resource);',
            )
        ],
        ["templates (?principal, ?resource) are not used"],
    ),
    (
        "an unknown role",
        [swap("desk.cedar", 'Role::"on_call"', 'Role::"oncall"')],
        ["desk.search does not fit the schema", "oncall"],
    ),
    (
        "an unknown fact",
        [swap("entitlements.cedar", "context.facts.days >= 1", "context.facts.dais >= 1")],
        ["override.expiry does not fit the schema"],
    ),
    (
        "an optional fact read blindly",
        [swap("staffing.cedar", "context.facts has grants_administrator && !", "!")],
        ["staff.reactivate does not fit the schema"],
    ),
    # --- one to one ---
    (
        "an action without permit",
        [swap("operations.cedar", 'Action::"billing.resync"', 'Action::"tenant.add_note"')],
        ["billing.resync has no permit"],
    ),
    (
        "an action without rule",
        [swap("actions.toml", '[action."billing.resync"]', '[action."billing.x"]')],
        ["action billing.resync has no rule", "no such action is registered"],
    ),
    ("a verb that is none", [add("actions.toml", '[verb."lease.shut"]')], ["the console has no such verb"]),
    (
        "an action that nobody registered",
        [
            add(
                "x.cedarschema",
                'action "x.y" appliesTo { principal: [Staff], resource: [House], context: { call: Call } };',
            )
        ],
        ['action "x.y" is no registered action'],
    ),
    (
        "a verb without declaration",
        [swap("staff.cedarschema", '"directory.search", "lease.end"', '"directory.search", "lease.ends"')],
        ["lease.end is not declared", '"lease.ends" is no registered'],
    ),
    # --- schema against code and TOML ---
    (
        "a role that the schema lacks",
        [swap("staff.cedarschema", '"engineer", ', "")],
        ["entity Role does not list 'engineer'"],
    ),
    (
        "a role that only the schema has",
        [swap("staff.cedarschema", '"engineer", ', '"engineer", "intern", ')],
        ["entity Role lists 'intern'"],
    ),
    (
        "a tenant action without lease",
        [
            swap(
                "staff.cedarschema",
                '"billing.resync" in ["changing", "tenant_bound"]',
                '"billing.resync" in ["changing"]',
            )
        ],
        ['"billing.resync" touches a tenant'],
    ),
    (
        "a control action with lease",
        [
            swap(
                "staff.cedarschema",
                'action "lease.top_up" in ["changing"]',
                'action "lease.top_up" in ["changing", "tenant_bound"]',
            )
        ],
        ['"lease.top_up" touches no tenant'],
    ),
    (
        "an action outside governed",
        [swap("staff.cedarschema", 'action "lease.top_up" in ["changing"]', 'action "lease.top_up" in ["reasoned"]')],
        ['"lease.top_up" is governed but not in group'],
    ),
    (
        "a changing action that no freeze would pause",
        [swap("staff.cedarschema", 'action "lease.top_up" in ["changing"]', 'action "lease.top_up" in ["governed"]')],
        ['"lease.top_up" has the effect dangerous'],
    ),
    (
        "a kind of review that nobody holds",
        [swap("actions.toml", 'review          = "impersonation_write"', 'review          = "sometimes"')],
        ["review", "sometimes"],
    ),
    (
        "a limit that nothing sets",
        [swap("actions.toml", "increase_percent_most = 2000, ", "")],
        ["asks for the limit increase_percent_most"],
    ),
    (
        "a ceiling that no rule sees",
        [swap("actions.toml", "increase_percent_most = 2000, ", "increase_percent_most = 2000, more = 2, ")],
        ["no rule can see the ceiling more"],
    ),
    (
        "a ceiling that is a limit",
        [
            swap(
                "actions.toml",
                "increase_percent_most = 2000, ",
                "increase_percent_most = 2000, override_longest_days = 2, ",
            )
        ],
        ["sets the ceiling override_longest_days, which limits.toml sets too"],
    ),
    (
        "a verb that accepts no reason",
        [swap("actions.toml", '[verb."lease.open"]', '[verb."lease.end"]')],
        ["lease.open asks for a reason but accepts none", "reasons and the context attribute why"],
    ),
    (
        "a reason group without why",
        [
            swap(
                "staff.cedarschema",
                'action "tenant.read" in ["tenant_bound"]',
                'action "tenant.read" in ["tenant_bound", "reasoned"]',
            )
        ],
        ['action "tenant.read": group "reasoned"'],
    ),
    # --- TOML ---
    (
        "an unknown key",
        [add("limits.toml", "tenants_per_week = 3")],
        ["policies/limits.toml: unknown key 'tenants_per_week'"],
    ),
    (
        "an unknown key of an action",
        [swap("actions.toml", "step_up_minutes = 10\nceilings", "stepup = 10\nceilings")],
        ["unknown key 'stepup'", "the action is dangerous and asks for no second factor"],
    ),
    (
        "a wrong type",
        [swap("limits.toml", "tenants_per_hour       = 12", 'tenants_per_hour = "12"')],
        ["tenants_per_hour = '12' is wrong: give a whole number"],
    ),
    (
        "a wrong flag",
        [swap("reasons.toml", "note_required     = false", "note_required = 0")],
        ["note_required = 0 is wrong: give true or false"],
    ),
    (
        "an hour that no day has",
        [swap("limits.toml", "customer_digest_hour_utc  = 6", "customer_digest_hour_utc = 24")],
        ["customer_digest_hour_utc", "from 0 to 23"],
    ),
    ("a missing key", [swap("limits.toml", "tenants_per_hour       = 12", "")], ["tenants_per_hour is missing"]),
    (
        "zero as a limit",
        [swap("limits.toml", "tenants_per_hour       = 12", "tenants_per_hour = 0")],
        ["tenants_per_hour = 0 is wrong"],
    ),
    (
        "an unknown reason",
        [swap("actions.toml", '"BILLING_RECONCILIATION", "CONTRACT_CHANGE", "INCIDENT_RESPONSE"]', '"BILLING"]')],
        ["unknown reason 'BILLING'"],
    ),
    (
        "a reason twice",
        [swap("actions.toml", '["STAFF_CHANGE"]', '["STAFF_CHANGE", "STAFF_CHANGE"]')],
        ["reasons names something twice"],
    ),
    (
        "a reason without the effect",
        [swap("actions.toml", '["CONTRACT_CHANGE", "INCIDENT_RESPONSE"]', '["CUSTOMER_SUPPORT"]')],
        ["reason CUSTOMER_SUPPORT does not permit the effect dangerous"],
    ),
    (
        "an unknown role in a group",
        [swap("actions.toml", 'roles = ["finance_lead"]', 'roles = ["cfo"]')],
        ["unknown role 'cfo' in roles"],
    ),
    (
        "an unknown role of the provider",
        [swap("identity.toml", '"finance_lead"', '"cfo"')],
        ["'sallyport-finance-leads' names unknown role 'cfo'"],
    ),
    (
        "a vendor that nobody can name",
        [swap("identity.toml", '"northwind"', '"North Wind Ltd."')],
        ["'sallyport-vendor-northwind' names 'North Wind Ltd.'", "use up to 40 of a-z, 0-9 and -"],
    ),
    (
        "a vendor that is no text",
        [swap("identity.toml", '"northwind"', "7")],
        ["sallyport-vendor-northwind = 7 is wrong"],
    ),
    ("an unknown effect", [swap("reasons.toml", '["read", "dangerous"]', '["look"]')], ["unknown effect 'look'"]),
    (
        "a pattern that is none",
        [swap("reasons.toml", '"CASE(-[0-9]{1,9}){1,3}"', '"CASE("')],
        ["reference_pattern is no regular expression"],
    ),
    (
        "an example that does not fit",
        [swap("reasons.toml", '"CASE-77"', '"CASE77"')],
        ["'CASE77' does not match reference_pattern"],
    ),
    (
        "a way to run that is none",
        [swap("actions.toml", '[action."lease.top_up"]', '[action."lease.top_up"]\nruns = "later"')],
        ["runs = 'later' is wrong: give one of on_approval, by_hand"],
    ),
    (
        "glass to break where there is no tenant",
        [swap("actions.toml", '[action."lease.top_up"]', '[action."lease.top_up"]\nbreak_glass_allowed = true')],
        ["lease.top_up", "break_glass_allowed is for actions on a tenant"],
    ),
    (
        "a table that is none",
        [swap("actions.toml", "groups = { support_lead = 1 }", "groups = 1")],
        ["groups = 1 is wrong: give a table", "a tier without groups approves nothing"],
    ),
    ("tables that are none", [add("x.actions.toml", "group = 3")], ["group = 3 is wrong: give tables"]),
    # --- tiers and quorums ---
    (
        "an unknown tier",
        [swap("operations.cedar", '@tier("suspension")', '@tier("suspense")')],
        ["names the unknown tier 'suspense'", "no permit names the tier 'suspension'"],
    ),
    ("an unused group", [add("actions.toml", '[group.x]\nroles = ["finance"]')], ["no tier needs the group 'x'"]),
    (
        "an unknown group",
        [swap("actions.toml", "groups = { finance_lead = 1 }", "groups = { cfo = 1 }")],
        ["unknown group 'cfo'"],
    ),
    (
        "a tier on a verb",
        [swap("tenants.cedar", '@id("tenant.read")', '@id("tenant.read")\n@tier("paid")')],
        ["asks approval for tenant.read, which is not governed"],
    ),
    (
        "too many seats",
        [swap("actions.toml", "groups = { finance_lead = 1 }", "groups = { finance_lead = 10 }")],
        ["10 approvals of group finance_lead can hardly be met"],
    ),
    (
        "a quorum without voters",
        [swap("actions.toml", 'roles = ["finance_lead"]', 'roles = ["finance"]')],
        ["quorum of entitlement.override can never be met: tier both_leads needs 1 of group finance_lead (finance)"],
    ),
    (
        "a quorum of administrators about a tenant",
        [swap("actions.toml", 'roles = ["finance_lead"]', 'roles = ["administrator"]')],
        ["quorum of entitlement.end_override can never be met"],
    ),
    (
        "everything defined twice",
        [
            add(
                "x.actions.toml",
                '[group.support_lead]\nroles = ["finance_lead"]\n[tier.paid]\ngroups = { finance_lead = 1 }\n'
                '[verb."request.vote"]\n[action."staff.add"]\nreasons = ["STAFF_CHANGE"]\nstep_up_minutes = 5',
            )
        ],
        [
            "this group is defined twice",
            "this tier is defined twice",
            "this verb has two rules",
            "this action has two rules",
        ],
    ),
]


@pytest.mark.parametrize(("edits", "wanted"), [case[1:] for case in FAULTS], ids=[case[0] for case in FAULTS])
def test_it_refuses_to_start(tmp_path: Path, edits: list[Edit], wanted: list[str]) -> None:
    with pytest.raises(PolicyFaultsError) as raised:
        load_book(copied(tmp_path, *edits), GOVERNED)
    faults = raised.value.faults
    for text in wanted:
        assert any(text in fault for fault in faults), faults
    for fault in faults:
        assert "\n" not in fault
        assert ": " in fault, "every fault says how to mend it"


def test_it_lists_every_fault_at_once(tmp_path: Path) -> None:
    edits = [add("limits.toml", "x = 1"), swap("identity.toml", '"finance_lead"', '"cfo"'), add("y.cedar", PERMIT)]
    with pytest.raises(PolicyFaultsError) as raised:
        load_book(copied(tmp_path, *edits), GOVERNED)
    assert len(raised.value.faults) == 3


def test_it_refuses_a_path_that_is_no_folder(tmp_path: Path) -> None:
    with pytest.raises(PolicyFaultsError, match="is no folder"):
        load_book(tmp_path / "nothing", GOVERNED)


@pytest.mark.parametrize("key", ["acme.thing", "home.read"])
def test_it_refuses_an_action_that_it_does_not_know(key: str) -> None:
    with pytest.raises(PolicyFaultsError) as raised:
        load_book(POLICIES, [*GOVERNED, (ActionKey(key), Effect.WRITE, "control")])
    assert any(fault.startswith(f"action {key}") for fault in raised.value.faults)


def test_it_takes_the_policy_of_another_package_from_its_own_files(tmp_path: Path) -> None:
    shape = "{ principal: [Staff], resource: [House], context: { call: Call, why: Why } }"
    schema = f'action "acme.thing" in ["changing"] appliesTo {shape};'
    scope = 'principal in Role::"support_lead", action == Action::"acme.thing", resource'
    rule = f'@id("acme.thing") @reason("Support does the thing.") permit({scope});'
    workflow = '[action."acme.thing"]\nreasons = ["CUSTOMER_SUPPORT"]\nruns = "by_hand"\napprove_minutes = 30'
    edits = [add("acme.cedarschema", schema), add("acme.cedar", rule), add("acme.actions.toml", workflow)]
    key = ActionKey("acme.thing")
    book = load_book(copied(tmp_path, *edits), [*GOVERNED, (key, Effect.WRITE, "control")])
    assert (book.actions[key].runs, book.actions[key].approve_minutes, book.actions[key].execute_minutes) == (
        "by_hand",
        30,
        60,
    )


def test_it_gives_another_version_to_another_policy(tmp_path: Path) -> None:
    plain = load_book(copied(tmp_path / "a"), GOVERNED).version
    assert plain == load_book(POLICIES, GOVERNED).version
    changed = copied(tmp_path / "b", swap("limits.toml", "tenants_per_day        = 40", "tenants_per_day = 41"))
    assert load_book(changed, GOVERNED).version != plain
