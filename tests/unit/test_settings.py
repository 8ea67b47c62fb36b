"""Settings: what is accepted, and that every fault stops the start with a line that says how to mend it."""

from pathlib import Path

import pytest
from pydantic import BaseModel

from console.settings import Settings, SettingsFaultsError, load_settings

DOCS = Path(__file__).parents[2] / "docs" / "settings.md"
KEYS = {
    "SALLYPORT_SECRETS__SESSION_KEY": "session-0123456789abcdefghijklmnopqrstuv",
    "SALLYPORT_SECRETS__FINGERPRINT_KEY": "fingerprint-0123456789abcdefghijklmnopq",
    "SALLYPORT_SECRETS__SEALING_KEY": "sealing-0123456789abcdefghijklmnopqrstuv",
}
DEMO = KEYS | {"SALLYPORT_ENVIRONMENT": "demo", "SALLYPORT_LOCAL_PASSWORDS": "on"}
OIDC = {
    "SALLYPORT_OIDC__ISSUER": "https://login.corp.example",
    "SALLYPORT_OIDC__CLIENT_ID": "sallyport",
    "SALLYPORT_OIDC__CLIENT_SECRET": "a-client-secret",
}
PRODUCTION = (
    KEYS | OIDC | {"SALLYPORT_ENVIRONMENT": "production", "SALLYPORT_SERVER__TRUSTED_HOSTS": "door.corp.example"}
)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def faults_of(environ: dict[str, str], file: Path | None = None) -> tuple[str, ...]:
    with pytest.raises(SettingsFaultsError) as caught:
        load_settings(environ, file)
    return caught.value.faults


def test_it_loads_a_demo_from_the_environment() -> None:
    settings = load_settings(DEMO | {"SALLYPORT_SERVER__PORT": "8111", "SALLYPORT_VAR": "elsewhere"})
    assert (settings.server.port, settings.server.host) == (8111, "127.0.0.1")
    assert settings.database_url == "sqlite:///elsewhere/sallyport.db"
    assert settings.trail_key_file == Path("elsewhere/trail.key")
    assert settings.checkpoint_folder == Path("elsewhere/checkpoints")
    assert settings.allows_local_passwords
    assert settings.environment != "production"


def test_it_loads_production_and_names_planes() -> None:
    settings = load_settings(
        PRODUCTION
        | {
            "SALLYPORT_DATABASE__URL": "postgresql+psycopg://app:pw@db.corp.example/console?sslmode=verify-full",
            "SALLYPORT_DATABASE__PLANES__EU": "postgresql://app@10.0.0.7/eu?sslmode=verify-full",
        }
    )
    assert settings.environment == "production"
    assert dict(settings.plane_urls) == {"eu": "postgresql://app@10.0.0.7/eu?sslmode=verify-full"}
    assert settings.server.trusted_hosts == ("door.corp.example",)
    assert settings.oidc is not None
    assert settings.oidc.issuer == "https://login.corp.example"


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "sallyport.toml").write_text(
        'environment = "demo"\nlocal_passwords = true\n[server]\nport = 9000\nthreads = 2\n'
    )
    settings = load_settings(KEYS | {"SALLYPORT_SERVER__PORT": "9001"})
    assert (settings.server.port, settings.server.threads, settings.local_passwords) == (9001, 2, "on")
    assert settings.server.trusted_proxies == 0
    behind = load_settings(KEYS | {"SALLYPORT_SERVER__TRUSTED_PROXIES": "1"})
    assert behind.server.trusted_proxies == 1


def test_it_reads_the_file_that_the_environment_names(tmp_path: Path) -> None:
    file = tmp_path / "other.toml"
    file.write_text('environment = "demo"\nlocal_passwords = "on"\n')
    assert load_settings(KEYS | {"SALLYPORT_CONFIG": str(file)}).environment == "demo"
    assert "no such settings file" in faults_of(KEYS | {"SALLYPORT_CONFIG": str(tmp_path / "none.toml")})[0]


def test_settings_are_frozen() -> None:
    settings = load_settings(DEMO)
    with pytest.raises(ValueError, match="frozen"):
        settings.server.port = 1
    with pytest.raises(ValueError, match="frozen"):
        settings.debug = True


PRODUCT = {
    "PRODUCT__CLIENT_ID": "acme-app",
    "PRODUCT__CLIENT_SECRET": "kz7Q2m-4vT9xW1sB8nL3pR6yD5cH0jFa",
    "PRODUCT__ADDRESS": "https://app.example",
    "PRODUCT__CONSOLE": "https://door.example",
}
FAULTS: dict[str, tuple[dict[str, str], str, str]] = {
    "unknown key": (DEMO | {"SALLYPORT_FOO": "1"}, "SALLYPORT_FOO", "is not a setting"),
    "typo": (DEMO | {"SALLYPORT_SERVER__PROT": "1"}, "SALLYPORT_SERVER__PROT", "did you mean port"),
    "typo in a plane's section": (DEMO | {"SALLYPORT_OIDC__ISSUR": "x"}, "SALLYPORT_OIDC__ISSUR", "issuer"),
    "wrong type": (DEMO | {"SALLYPORT_SERVER__PORT": "many"}, "SALLYPORT_SERVER__PORT", "integer"),
    "out of range": (DEMO | {"SALLYPORT_SERVER__PORT": "70000"}, "SALLYPORT_SERVER__PORT", "65535"),
    "section as a value": (DEMO | {"SALLYPORT_SERVER": "x"}, "SALLYPORT_SERVER", "Server"),
    "value as a section": (DEMO | {"SALLYPORT_DEBUG__ON": "x"}, "SALLYPORT_DEBUG", "boolean"),
    "value and section": (DEMO | {"SALLYPORT_SECRETS": "x"}, "SALLYPORT_SECRETS", "unset one of the two"),
    "unknown environment": (DEMO | {"SALLYPORT_ENVIRONMENT": "prod"}, "SALLYPORT_ENVIRONMENT", "'production'"),
    "short secret": (DEMO | {"SALLYPORT_SECRETS__SEALING_KEY": "short"}, "SEALING_KEY", "32 characters"),
    "guessable secret": (DEMO | {"SALLYPORT_SECRETS__SEALING_KEY": "changeme" * 5}, "SEALING_KEY", "guessed"),
    "one secret twice": (
        DEMO | {"SALLYPORT_SECRETS__SEALING_KEY": KEYS["SALLYPORT_SECRETS__SESSION_KEY"]}, "SEALING_KEY", "its own",
    ),
    "debug in a demo": (DEMO | {"SALLYPORT_DEBUG": "true"}, "SALLYPORT_DEBUG", "development"),
    "debug in production": (PRODUCTION | {"SALLYPORT_DEBUG": "1"}, "SALLYPORT_DEBUG", "development"),
    "demo on the network": (DEMO | {"SALLYPORT_SERVER__HOST": "0.0.0.0"}, "SERVER__HOST", "127.0.0.1"),  # noqa: S104
    "passwords in production": (PRODUCTION | {"SALLYPORT_LOCAL_PASSWORDS": "true"}, "LOCAL_PASSWORDS", "emergency"),
    "nobody can sign in": (KEYS | {"SALLYPORT_ENVIRONMENT": "staging"}, "OIDC__ISSUER", "nobody could sign in"),
    "plain issuer": (PRODUCTION | {"SALLYPORT_OIDC__ISSUER": "http://login.corp.example"}, "OIDC__ISSUER", "https"),
    "shared-key tokens": (PRODUCTION | {"SALLYPORT_OIDC__ALGORITHMS": "RS256,HS256"}, "ALGORITHMS", "public-key"),
    "no openid": (PRODUCTION | {"SALLYPORT_OIDC__SCOPES": "email"}, "SCOPES", "openid"),
    "any host": (DEMO | {"SALLYPORT_SERVER__TRUSTED_HOSTS": "*"}, "TRUSTED_HOSTS", "star"),
    "no host": (DEMO | {"SALLYPORT_SERVER__TRUSTED_HOSTS": ""}, "TRUSTED_HOSTS", "name each host"),
    "foreign database": (DEMO | {"SALLYPORT_DATABASE__URL": "mysql://db/x"}, "DATABASE__URL", "sqlite:///"),
    "plain database": (PRODUCTION | {"SALLYPORT_DATABASE__URL": "postgresql://u:pw@db/x"}, "DATABASE__URL", "sslmode"),
    "plain plane": (
        PRODUCTION | {"SALLYPORT_DATABASE__PLANES__EU": "postgresql://db/x?sslmode=prefer"}, "PLANES__EU", "sslmode",
    ),
    "plane called shared": (DEMO | {"SALLYPORT_DATABASE__PLANES__SHARED": "sqlite:///x"}, "PLANES__SHARED", "remove"),
    "plane with an odd name": (DEMO | {"SALLYPORT_DATABASE__PLANES__E-U": "sqlite:///x"}, "PLANES__E-U", "pattern"),
    "demo tickets in production": (PRODUCTION | {"SALLYPORT_TICKETS__ADAPTER": "demo"}, "TICKETS__ADAPTER", "none"),
    "demo billing in production": (PRODUCTION | {"SALLYPORT_BILLING__ADAPTER": "demo"}, "BILLING__ADAPTER", "none"),
}  # fmt: skip


@pytest.mark.checklist("V12.3.1")
@pytest.mark.parametrize("name", ["url", "owner_url", "fleet_url", "sequencer_url", "import_url", "planes__eu"])
@pytest.mark.parametrize(
    ("address", "is_verified"),
    [
        ("postgresql://u@db.example/x", False),
        ("postgresql://u@db.example/x?sslmode=require", False),
        ("postgresql://u@db.example/x?sslmode=verify-full&sslmode=disable", False),
        ("postgresql://u@/x?host=db.example", False),
        ("postgresql://u@/x?host=127.0.0.1&hostaddr=203.0.113.7", False),
        ("postgresql://u@db.example/x?sslmode=verify-full", True),
        ("postgresql+psycopg://u@/x?host=db.example&sslmode=verify-ca", True),
        ("postgresql://u@/x?host=/run/postgresql", True),
        ("postgresql://u@127.0.0.1/x", True),
    ],
)
def test_it_verifies_every_database_across_the_network(name: str, address: str, is_verified: bool) -> None:
    key = f"SALLYPORT_DATABASE__{name.upper()}"
    if is_verified:
        assert load_settings(PRODUCTION | {key: address}).environment == "production"
    else:
        assert any(key in line and "verify-full" in line for line in faults_of(PRODUCTION | {key: address}))


@pytest.mark.checklist("V13.4.2")
@pytest.mark.parametrize(("environ", "key", "remedy"), FAULTS.values(), ids=FAULTS)
def test_a_fault_stops_the_start_with_key_and_remedy(environ: dict[str, str], key: str, remedy: str) -> None:
    lines = [line for line in faults_of(environ) if key in line]
    assert lines
    assert any(remedy in line for line in lines)
    assert all("\n" not in line for line in lines)


@pytest.mark.parametrize(("environ", "key", "remedy"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_told_beside_faults_of_another_kind(
    environ: dict[str, str], key: str, remedy: str, tmp_path: Path
) -> None:
    file = tmp_path / "other.toml"
    file.write_text('colour = "red"\n[letters]\nsmtp_port = "soon"\n')
    lines = faults_of({name: value for name, value in environ.items() if "FINGERPRINT" not in name}, file)
    for where, what in (("COLOUR", "is not a setting"), ("SMTP_PORT", "integer"), (key, remedy)):
        assert [line for line in lines if where in line and what in line], lines
    missing = "SALLYPORT_SECRETS" if remedy == "unset one of the two" else "FINGERPRINT_KEY"
    assert [line for line in lines if missing in line], lines
    assert len(lines) == len(set(lines))


def test_production_tells_every_fault_in_one_go() -> None:
    given = PRODUCTION | {"SALLYPORT_DEBUG": "true", "SALLYPORT_LOCAL_PASSWORDS": "on"}
    del given["SALLYPORT_SECRETS__SESSION_KEY"]
    lines = faults_of(given)
    assert [line.split(" ")[0] for line in lines] == ["secrets.session_key", "debug", "local_passwords"]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"BILLING__ADAPTER": "strip", "BILLING__API_KEY": "rk_live_0123456789"}, ["billing.adapter"]),
        ({"OIDC": "x", "LOCAL_PASSWORDS": "off"}, ["oidc"]),
        ({"ENVIRONMENT": "prod", "DEBUG": "true", "LOCAL_PASSWORDS": "on"}, ["environment"]),
        ({"SERVER__TRUSTED_HOSTS": "*", "SERVER__PORT": "x"}, ["server.port", "server.trusted_hosts"]),
        ({"DATABASE__URL": "mysql://db/x", "DATABASE__PLANES__E-U": "x"}, ["database.planes.e-u", "database.url"]),
        (
            {"JOBS": "x", "WEBHOOKS__PORTS": "", "WEBHOOKS__SENDERS": "99"},
            ["jobs", "webhooks.ports", "webhooks.senders"],
        ),
    ],
)
def test_no_rule_speaks_of_a_key_that_has_a_fault_already(wrong: dict[str, str], told: list[str]) -> None:
    lines = faults_of(DEMO | {f"SALLYPORT_{key}": value for key, value in wrong.items()})
    assert sorted(line.split(" ")[0] for line in lines) == sorted(told)


@pytest.mark.checklist("V13.3.1")
@pytest.mark.parametrize("missing", KEYS)
def test_a_missing_secret_stops_the_start(missing: str) -> None:
    environ = {name: value for name, value in DEMO.items() if name != missing}
    assert any(missing in line and "is missing" in line for line in faults_of(environ))


def test_every_missing_key_has_a_line_of_its_own() -> None:
    lines = faults_of({})
    assert [line for line in lines if "SALLYPORT_ENVIRONMENT" in line]
    assert sum("SALLYPORT_SECRETS__" in line for line in lines) == 3


def test_a_passing_emergency_may_use_passwords_in_production() -> None:
    assert load_settings(PRODUCTION | {"SALLYPORT_LOCAL_PASSWORDS": "emergency"}).allows_local_passwords


@pytest.mark.parametrize(
    ("text", "word"),
    [("environment = ", "TOML"), ("[server]\nprot = 1\n", "did you mean port"), ("colour = 1\n", "is not a setting"),
     ('[server]\nport = "x"\n', "integer")],
)  # fmt: skip
def test_a_faulty_file_stops_the_start(tmp_path: Path, text: str, word: str) -> None:
    file = tmp_path / "sallyport.toml"
    file.write_text(text)
    assert any(word in line for line in faults_of(DEMO, file))


@pytest.mark.checklist("V16.2.5")
def test_no_fault_and_no_picture_shows_a_secret(tmp_path: Path) -> None:
    secret = "hunter2-hunter2"
    file = tmp_path / "other.toml"
    file.write_text(f'[secrets]\nsession_key = "{secret}"\nsealing_key = 7\nother = "{secret}"\n')
    environ = PRODUCTION | {
        "SALLYPORT_DATABASE__URL": f"mysql://root:{secret}@db/x",
        "SALLYPORT_SECRETS__FINGERPRINT_KEY": secret,
    }
    for given in (environ, {k: v for k, v in environ.items() if not k.startswith("SALLYPORT_SECRETS")}):
        assert secret not in "\n".join(faults_of(given, file))
    settings = load_settings(PRODUCTION)
    for shown in (repr(settings), str(settings), settings.model_dump_json()):
        assert not [value for value in (*KEYS.values(), "a-client-secret") if value in shown]


def _settings_of(model: type[BaseModel], path: str = "") -> list[str]:
    found: list[str] = []
    for name, field in model.model_fields.items():
        arms = (field.annotation, *getattr(field.annotation, "__args__", ()))
        section = next((arm for arm in arms if isinstance(arm, type) and issubclass(arm, BaseModel)), None)
        found += _settings_of(section, f"{path}{name}.") if section else [f"{path}{name}"]
    return found


STRIPE = DEMO | {"SALLYPORT_BILLING__ADAPTER": "stripe"}
LIVE_KEY, TEST_KEY = "rk_live_0123456789", "rk_test_0123456789"


@pytest.mark.parametrize(
    ("environ", "given", "fault"),
    [
        (STRIPE, {}, "BILLING__API_KEY): is missing"),
        (STRIPE, {"API_KEY": "pk_live_0123456789"}, "must be a secret key"),
        (STRIPE, {"API_KEY": TEST_KEY}, "BILLING__MODE): is not the mode"),
        (STRIPE, {"API_KEY": LIVE_KEY, "MODE": "test"}, "BILLING__MODE): is not the mode"),
        (STRIPE, {"API_KEY": LIVE_KEY, "ADDRESS": "http://stripe.example"}, "must be a plain https address"),
        (STRIPE, {"API_KEY": LIVE_KEY, "ADDRESS": "https://stripe.example/v1"}, "must be a plain https address"),
        (STRIPE, {"API_KEY": LIVE_KEY, "ACCOUNT": "me"}, "BILLING__ACCOUNT"),
        (DEMO, {"API_KEY": LIVE_KEY}, "is used with adapter = stripe only"),
        (PRODUCTION, {"ADAPTER": "stripe", "API_KEY": TEST_KEY, "MODE": "test"}, "would take invented money"),
        (
            PRODUCTION,
            {"ADAPTER": "stripe", "API_KEY": LIVE_KEY, "ADDRESS": "http://127.0.0.1:9"},
            "must be a plain https address",
        ),
    ],
)
def test_a_wrong_way_to_the_billing_provider_stops_the_start(
    environ: dict[str, str], given: dict[str, str], fault: str
) -> None:
    (line,) = faults_of(environ | {f"SALLYPORT_BILLING__{key}": value for key, value in given.items()})
    assert fault in line
    assert "0123456789" not in line


def test_it_reads_how_the_billing_provider_is_reached() -> None:
    given = {"SALLYPORT_BILLING__API_KEY": TEST_KEY, "SALLYPORT_BILLING__MODE": "test"}
    billing = load_settings(STRIPE | given | {"SALLYPORT_BILLING__ADDRESS": "http://127.0.0.1:8123"}).billing
    assert (billing.adapter, billing.mode, billing.address) == ("stripe", "test", "http://127.0.0.1:8123")
    assert TEST_KEY not in repr(billing)


@pytest.mark.parametrize("key", _settings_of(Settings))
def test_every_setting_is_documented(key: str) -> None:
    assert f"`{key}`" in DOCS.read_text("utf-8")


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"WEBHOOKS__ALLOWED_NETWORKS": "127.0.0.1/8"}, "without host bits"),
        ({"WEBHOOKS__ALLOWED_NETWORKS": "10.0.0.0/8"}, "the demo sends to this machine only"),
        ({"WEBHOOKS__PORTS": ""}, "must name at least one port"),
        ({"WEBHOOKS__PORTS": "443,70000"}, "less than or equal to 65535"),
        ({"NOTICES__MAIL": "true"}, "set letters.smtp_host"),
        ({"NOTICES__MAIL": "true", "LETTERS__FOLDER": "x", "NOTICES__FOLDER": "y"}, "by one way only"),
        ({"NOTICES__WEBHOOK_URL": "https://hooks.example/x"}, "WEBHOOK_SECRET): is missing"),
        ({"NOTICES__WEBHOOK_SECRET": f"whsec_{'A' * 43}="}, "signs nothing without"),
        (
            {"NOTICES__WEBHOOK_URL": "https://hooks.example/x", "NOTICES__WEBHOOK_SECRET": "whsec_short"},
            "must be whsec_",
        ),
        ({"NOTICES__WEBHOOK_URL": "http://hooks.example", "NOTICES__WEBHOOK_SECRET": f"whsec_{'A' * 43}="}, "https"),
        ({"JOBS__ENGINE": "procrastinate"}, "procrastinate lives in PostgreSQL"),
        ({"JOBS__ENGINE": "procrastinate", "DATABASE__URL": "sqlite:///x.db"}, "procrastinate lives in PostgreSQL"),
        ({"JOBS__ENGINE": "celery"}, "'own' or 'procrastinate'"),
        ({**PRODUCT, "PRODUCT__CLIENT_SECRET": "short"}, "32 characters"),
        ({**PRODUCT, "PRODUCT__CLIENT_SECRET": "a+b/c=" * 8}, "letters, digits and ._~- only"),
        ({**PRODUCT, "PRODUCT__CLIENT_SECRET": "ab" * 20}, "can be guessed"),
        ({**PRODUCT, "PRODUCT__CLIENT_ID": "two words"}, "pattern"),
        ({**PRODUCT, "PRODUCT__ADDRESS": "http://app.example"}, "plain https origin"),
        ({**PRODUCT, "PRODUCT__ADDRESS": "https://app.example/path"}, "plain https origin"),
        ({**PRODUCT, "PRODUCT__CONSOLE": "https://me@door.example"}, "plain https origin"),
        ({**PRODUCT, "PRODUCT__CONSOLE": "door.example"}, "plain https origin"),
        ({**PRODUCT, "PRODUCT__CALLBACK": "https://evil.example"}, "pattern"),
    ],
)
def test_what_would_send_or_work_wrongly_stops_the_start(given: dict[str, str], fault: str) -> None:
    (line,) = faults_of(DEMO | {f"SALLYPORT_{key}": value for key, value in given.items()})
    assert fault in line


def test_it_reads_which_product_is_connected(tmp_path: Path) -> None:
    given = {f"SALLYPORT_{key}": value for key, value in PRODUCT.items()} | {"SALLYPORT_VAR": str(tmp_path)}
    settings = load_settings(DEMO | given)
    assert settings.product is not None
    assert (settings.product.client_id, settings.product.callback) == ("acme-app", "/sallyport/callback")
    assert settings.product_key_folder == tmp_path / "product-keys"
    (line,) = faults_of(PRODUCTION | given | {"SALLYPORT_PRODUCT__ADDRESS": "http://127.0.0.1:9"})
    assert "plain https origin" in line


def test_inner_networks_stay_out_of_reach_in_production() -> None:
    (line,) = faults_of(PRODUCTION | {"SALLYPORT_WEBHOOKS__ALLOWED_NETWORKS": "127.0.0.0/8"})
    assert "inner networks" in line


def test_it_reads_who_may_be_called_and_who_runs_jobs() -> None:
    settings = load_settings(
        DEMO
        | {
            "SALLYPORT_WEBHOOKS__ALLOWED_NETWORKS": "127.0.0.0/8,::1/128",
            "SALLYPORT_WEBHOOKS__PORTS": "443,8099",
            "SALLYPORT_JOBS__ENGINE": "procrastinate",
            "SALLYPORT_DATABASE__URL": "postgresql+psycopg://app@/console",
        }
    )
    assert settings.webhooks.ports == (443, 8099)
    assert settings.jobs.engine == "procrastinate"
    assert load_settings(DEMO).webhooks.https_only
