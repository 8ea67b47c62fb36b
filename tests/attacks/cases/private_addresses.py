"""An engineer points a tenant's webhooks at addresses inside the house, in every spelling."""

import socket
from collections.abc import Sequence

from console.adapters.outbound_http import GuardedOutbound, OutboundRules
from tests.attacks.door import Attempts, Door
from tests.attacks.webhooks import WHY, engineer_inside
from tests.web.webhook_stage import MAIN

CHECKLIST = ("V1.3.6",)
ADDRESSES = (
    "https://127.0.0.1/in", "https://2130706433/in", "https://0x7f.1/in", "https://127.1/in", "https://017700000001/in",
    "https://10.0.0.1/in", "https://192.168.1.1/in", "https://172.16.0.1/in", "https://169.254.169.254/latest",
    "https://100.64.0.1/in", "https://0.0.0.0/in", "https://192.0.0.8/in", "https://192.88.99.1/in",
    "https://198.18.0.1/in", "https://203.0.113.1/in", "https://224.0.0.1/in", "https://240.0.0.1/in",
    "https://[::1]/in", "https://[::ffff:10.0.0.1]/in", "https://[64:ff9b::a00:1]/in", "https://[64:ff9b:1::1]/in",
    "https://[2002:a00:1::1]/in", "https://[fec0::1]/in", "https://[fe80::1]/in", "https://[fd00::1]/in",
    "https://[3fff::1]/in", "https://[5f00::1]/in", "https://[2001:db8::1]/in", "https://[100::1]/in",
    "https://[ff02::1]/in", "http://1.1.1.1/in", "https://1.1.1.1:8443/in", "file:///etc/passwd",
    "gopher://1.1.1.1/in", "https://ada:pw@1.1.1.1/in", "//1.1.1.1/in", "https://", "https://1.1.1.1#@10.0.0.1/",
)  # fmt: skip


def numeric(host: str, _port: int) -> Sequence[str]:
    """Return what the system makes of a number in any spelling, without asking anybody."""
    return [host if ":" in host else socket.inet_ntoa(socket.inet_aton(host))]


def attack(door: Door) -> Attempts:
    """Try each as a new endpoint and as a new address of an old one."""
    door.refurnish(outbound=GuardedOutbound(OutboundRules(resolve=numeric)))
    engineer = engineer_inside(door)
    attempts = door.attempts(422, "request.refused", code="bad_parameter")
    for url in ADDRESSES:
        for verb, fields in (("add_endpoint", {"event_types": "*"}), ("change_endpoint", {"endpoint": MAIN})):
            attempts.post(
                engineer, f"/t/nordwind/actions/webhook.{verb}", {**fields, "url": url, **WHY, "step": "preview"}
            )
    return attempts
