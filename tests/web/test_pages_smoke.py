from tests.web.cast import Cast
import pytest
PAGES=["/","/search","/search?q=no","/search?q=nordwind","/search?q=logis","/tenants","/tenants/nordwind/lease","/t/nordwind/","/t/nordwind/members","/t/nordwind/entitlements","/t/nordwind/notes","/t/nordwind/entries","/requests","/requests?tab=mine","/requests?tab=all","/palette","/palette?q=over","/t/nordwind/actions/entitlement.override","/t/nordwind/actions/entitlement.override?feature=seats&value=200&until=2027-03-01","/trail","/staff","/policy","/t/nordwind/actions/member.reveal?field=email"]
def test_it_smokes(cast: Cast) -> None:
    agent=cast.sign_in("support_agent")
    r=cast.open_tenant(agent); print(r.status_code, r.headers.get("Location"), r.text[:3000] if r.status_code!=303 else "")
    for p in PAGES:
        r=agent.get(p); print(r.status_code,p,len(r.text))
        if r.status_code>=500: print(r.text[-1500:])
    a=cast.sign_in("security_auditor")
    for p in ["/","/trail","/trail?action=lease.open","/staff","/policy","/requests?tab=all"]:
        r=a.get(p); print(r.status_code,p,len(r.text))
    assert 0
