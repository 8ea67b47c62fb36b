from tests.web.cast import Cast
import re
def test_it_smokes(cast: Cast) -> None:
    agent=cast.sign_in("support_agent")
    r=cast.open_tenant(agent)
    m=agent.get("/t/nordwind/members")
    mid=re.search(r'name="member" value="([^"]+)"',m.text)[1]
    r=agent.get(f"/t/nordwind/actions/member.reveal?member={mid}&field=email")
    data=dict(re.findall(r'<input type="hidden" name="([a-z_]+)" value="([^"]*)"',r.text)); 
    import html
    data={k:html.unescape(v) for k,v in data.items() if k!="csrf_token"}
    data|={"field":"email","reason_code":"CUSTOMER_SUPPORT","reason_reference":"ZD-48213","reason_note":"","step":"ask"}
    r=agent.post("/t/nordwind/actions/member.reveal",data)
    print(r.status_code,r.headers, re.sub(r"\s+"," ",r.text[r.text.find("<main"):])[:1500])
    assert 0
