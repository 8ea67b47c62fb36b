"""The demo's staff, one per role and some twice, and the files in which their secrets outlive a restart."""

import json
import os
import secrets
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random, SystemRandom

from console.adapters.demo.companies import FIRST, SECOND
from console.adapters.demo.receiver import RECEIVER_PORT
from console.adapters.demo.watched import VENDOR
from console.domain.errors import ConsoleError
from console.domain.staff import Role

FILE = "demo.json"
KEYS_FILE = "demo-keys.json"
INBOUND_SECRET = "inbound_secret"  # noqa: S105  its name
PRODUCT_SECRET = "product_secret"  # noqa: S105  its name
PRODUCT_CLIENT = "demo-product"
_KEYS = ("session_key", "fingerprint_key", "sealing_key")
NOTE = "Invented people for trying the console on this machine; made at random for this folder, worthless elsewhere."
_PRIVATE = 0o600
_LAST_PORT = 65_535
_BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_DOMAIN = "sallyport.example"
_PEOPLE = (
    ("support_agent", Role.SUPPORT_AGENT, "Mira Lindgren"),
    ("support_lead", Role.SUPPORT_LEAD, "Tomás Arroyo"),
    ("finance", Role.FINANCE, "Aoife Brennan"),
    ("finance_lead", Role.FINANCE_LEAD, "Henrik Dahl"),
    ("engineer", Role.ENGINEER, "Yuki Tanabe"),
    ("on_call", Role.ON_CALL, "Kwame Mensah"),
    ("security_auditor", Role.SECURITY_AUDITOR, "Leila Haddad"),
    ("administrator", Role.ADMINISTRATOR, "Petra Novak"),
    ("support_agent_2", Role.SUPPORT_AGENT, "Jonas Weber"),
    ("support_lead_2", Role.SUPPORT_LEAD, "Ines Carvalho"),
    ("finance_lead_2", Role.FINANCE_LEAD, "Ravi Menon"),
    ("administrator_2", Role.ADMINISTRATOR, "Claire Dubois"),
)
_LENT = {"support_agent_2": VENDOR}
_EMAILS = {"Tomás Arroyo": "tomas.arroyo"}


class DemoFileError(ConsoleError):
    """A file of the demo cannot be read; the sentence says how to mend it."""

    code = "demo_file_unusable"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoPerson:
    """One invented staff member with everything that is needed to sign in."""

    key: str
    role: Role
    name: str
    email: str
    password: str
    totp_secret: str
    vendor: str = ""


def demo_staff(seed: int | None = None) -> tuple[DemoPerson, ...]:
    """Return the demo's staff; secrets come from the machine's dice, or from a seed for tests that compare."""
    dice: Random = SystemRandom() if seed is None else Random(seed)  # noqa: S311  a seed is for tests only
    return tuple(
        DemoPerson(
            key=key,
            role=role,
            name=name,
            email=f"{_EMAILS.get(name, name.lower().replace(' ', '.'))}@{_DOMAIN}",
            password=_passphrase(dice),
            totp_secret="".join(dice.choice(_BASE32) for _ in range(32)),
            vendor=_LENT.get(key, ""),
        )
        for key, role, name in _PEOPLE
    )


def kept_staff(var: Path) -> tuple[DemoPerson, ...]:
    """Return the staff of a folder: those of `demo.json`, or new ones when there is no such file.

    Raises: DemoFileError when the file is there and cannot be read.
    """
    file = var / FILE
    if not file.exists():
        return demo_staff()
    try:
        known = json.loads(file.read_text("utf-8"))["staff"]
        return tuple(DemoPerson(key=key, **{**each, "role": Role(each["role"])}) for key, each in known.items())
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as broken:
        message = f"{file}: this is not a file of the demo ({type(broken).__name__}); remove the folder to begin anew."
        raise DemoFileError(message) from None


def write_demo_file(var: Path, people: Sequence[DemoPerson], *, address: str) -> Path:
    """Write `demo.json` for people who script against the demo: address, staff by role, a note; private, atomic."""
    staff = {each.key: {name: value for name, value in asdict(each).items() if name != "key"} for each in people}
    file = var / FILE
    _write_private(file, {"address": address, "note": NOTE, "staff": staff})
    return file


def kept_keys(var: Path) -> dict[str, str]:
    """Return the demo's own secrets, made at the first start.

    Shape: three keys, what its provider signs webhooks with, and by which its product calls.
    """
    file = var / KEYS_FILE
    try:
        known = json.loads(file.read_text("utf-8"))
        kept = {name: str(known[name]) for name in _KEYS}
        kept |= {name: str(known.get(name) or "") for name in (INBOUND_SECRET, PRODUCT_SECRET)}
    except FileNotFoundError:
        kept = {name: secrets.token_urlsafe(48) for name in _KEYS}
    except (OSError, ValueError, TypeError, KeyError) as broken:
        message = f"{file}: this is not a file of the demo ({type(broken).__name__}); remove the folder to begin anew."
        raise DemoFileError(message) from None
    if not kept.get(INBOUND_SECRET) or not kept.get(PRODUCT_SECRET):
        kept[INBOUND_SECRET] = kept.get(INBOUND_SECRET) or f"whsec_{secrets.token_urlsafe(32)}"
        kept[PRODUCT_SECRET] = kept.get(PRODUCT_SECRET) or secrets.token_urlsafe(32)
        _write_private(file, kept)
    return kept


def demo_environ(var: Path, *, host: str = "127.0.0.1", port: int = 8000, planes: Sequence[str] = ()) -> dict[str, str]:
    """Return the `SALLYPORT_*` of a demo in a folder; each named plane gets a file of its own."""
    kept = kept_keys(var)
    keys = {f"SALLYPORT_SECRETS__{name.upper()}": kept[name] for name in _KEYS}
    own = {f"SALLYPORT_DATABASE__PLANES__{name.upper()}": f"sqlite:///{var / f'plane-{name}.db'}" for name in planes}
    return {
        "SALLYPORT_ENVIRONMENT": "demo",
        "SALLYPORT_LOCAL_PASSWORDS": "on",
        "SALLYPORT_VAR": str(var),
        "SALLYPORT_SERVER__HOST": host,
        "SALLYPORT_SERVER__PORT": str(port),
        "SALLYPORT_TICKETS__ADAPTER": "demo",
        "SALLYPORT_BILLING__ADAPTER": "demo",
        "SALLYPORT_INBOUND__STRIPE_SECRETS": kept[INBOUND_SECRET],
        "SALLYPORT_PRODUCT__CLIENT_ID": PRODUCT_CLIENT,
        "SALLYPORT_PRODUCT__CLIENT_SECRET": kept[PRODUCT_SECRET],
        "SALLYPORT_PRODUCT__ADDRESS": product_address(port),
        "SALLYPORT_PRODUCT__CONSOLE": f"http://{host}:{port}",
        "SALLYPORT_NOTICES__FOLDER": str(var / "notices"),
        "SALLYPORT_LETTERS__FOLDER": str(var / "letters"),
        "SALLYPORT_WEBHOOKS__HTTPS_ONLY": "false",
        "SALLYPORT_WEBHOOKS__PORTS": f"443,{RECEIVER_PORT}",
        "SALLYPORT_WEBHOOKS__ALLOWED_NETWORKS": "127.0.0.0/8",
        **keys,
        **own,
    }


def product_address(port: int) -> str:
    """Return where the demo's product answers: beside the console, on the next port, on this machine only."""
    return f"http://127.0.0.1:{port + 1 if port < _LAST_PORT else port - 1}"


def _passphrase(dice: Random) -> str:
    """Return four words and a number: about 40 bits, for an account that only this machine can reach."""
    words: list[Callable[[], str]] = [lambda: dice.choice(FIRST), lambda: dice.choice(SECOND)] * 2
    return "-".join([*(word().lower() for word in words), str(dice.randrange(100, 1000))])


def _write_private(file: Path, content: object) -> None:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE)
    with os.fdopen(handle, "w", encoding="utf-8") as target:
        json.dump(content, target, ensure_ascii=False, indent=1)
        target.write("\n")
        target.flush()
        os.fsync(target.fileno())
    draft.replace(file)
