"""The settings and their types; each section is frozen and knows no other keys."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, PlainSerializer, SecretStr
from pydantic import BaseModel as Section
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

SHORTEST_SECRET = 32
SHORTEST_INBOUND_SECRET = 16

_STRICT = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def _listed(value: object) -> object:
    """Return a comma-separated text, as the environment gives it, as a list."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _spelt(value: object) -> object:
    """Return the word for a truth value, so that both `true` and `"on"` may be written."""
    words = {True: "on", False: "off", "true": "on", "false": "off"}
    return words.get(value, value) if isinstance(value, bool | str) else value


Names: TypeAlias = Annotated[tuple[str, ...], BeforeValidator(_listed)]
Ports: TypeAlias = Annotated[tuple[Annotated[int, Field(ge=1, le=65535)], ...], BeforeValidator(_listed)]
Keys: TypeAlias = Annotated[
    tuple[Annotated[SecretStr, Field(min_length=SHORTEST_INBOUND_SECRET)], ...], BeforeValidator(_listed)
]
Secret: TypeAlias = Annotated[SecretStr, Field(min_length=SHORTEST_SECRET)]
DatabaseUrl: TypeAlias = SecretStr
PlaneUrls: TypeAlias = Annotated[
    Mapping[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")], DatabaseUrl],
    AfterValidator(MappingProxyType),
    PlainSerializer(sorted),
]


class Server(Section):
    """Where the console listens, and under which names it answers."""

    model_config = _STRICT
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    trusted_hosts: Names = ("127.0.0.1", "localhost")
    threads: int = Field(default=8, ge=1, le=256)
    trusted_proxies: int = Field(default=0, ge=0, le=5)
    build: str | None = Field(default=None, pattern=r"[A-Za-z0-9._+-]{1,64}")


class Database(Section):
    """The control store and the planes; addresses hold passwords, therefore they are secrets."""

    model_config = _STRICT
    url: DatabaseUrl | None = None
    owner_url: DatabaseUrl | None = None
    fleet_url: DatabaseUrl | None = None
    sequencer_url: DatabaseUrl | None = None
    import_url: DatabaseUrl | None = None
    planes: PlaneUrls = Field(default_factory=lambda: MappingProxyType({}))


class Secrets(Section):
    """Keys of the house; each is used for one thing only."""

    model_config = _STRICT
    session_key: Secret
    fingerprint_key: Secret
    sealing_key: Secret


class Oidc(Section):
    """The identity provider that staff sign in with."""

    model_config = _STRICT
    issuer: str
    client_id: str = Field(min_length=1)
    client_secret: SecretStr
    label: str = Field(default="company account", max_length=60)
    scopes: Names = ("openid", "email", "profile")
    groups_claim: str = Field(default="groups", min_length=1)
    algorithms: Names = ("RS256", "PS256", "ES256", "Ed25519")
    token_auth: Literal["client_secret_basic", "client_secret_post"] = "client_secret_basic"  # noqa: S105  its name
    timeout_s: float = Field(default=5.0, gt=0, le=30)


class Tickets(Section):
    """The ticket system that knows references."""

    model_config = _STRICT
    adapter: Literal["none", "demo"] = "none"


class Billing(Section):
    """The billing provider that the mirror follows."""

    model_config = _STRICT
    adapter: Literal["none", "stripe", "demo"] = "none"
    api_key: Annotated[SecretStr, Field(min_length=SHORTEST_INBOUND_SECRET)] | None = None
    mode: Literal["live", "test"] = "live"
    account: str | None = Field(default=None, pattern=r"^acct_[A-Za-z0-9]{1,60}$")
    address: str = "https://api.stripe.com"
    timeout_s: float = Field(default=30.0, gt=0, le=80)


class Notices(Section):
    """How notices to staff leave the house: as files, by mail over the server of `letters`, or to one webhook.

    Without any of the three they stay in the console.
    """

    model_config = _STRICT
    folder: Path | None = None
    mail: bool = False
    webhook_url: str | None = None
    webhook_secret: SecretStr | None = None
    address: str = "http://127.0.0.1:8000"


class Letters(Section):
    """How letters to customers leave: files in a folder, or mail by SMTP; webhooks go by the rules of `webhooks`.

    Without a folder and without a host, letters by mail wait and are given up in the end, and say so on the page.
    """

    model_config = _STRICT
    address: str = "http://127.0.0.1:8000"
    folder: Path | None = None
    smtp_host: str | None = None
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None
    smtp_tls: Literal["starttls", "implicit", "none"] = "starttls"
    sender: str = "access@localhost"
    timeout_s: float = Field(default=20.0, gt=0, le=120)


class Trail(Section):
    """The key that signs checkpoints, where they are kept, and how often the sequencer runs."""

    model_config = _STRICT
    name: str = Field(default="sallyport/trail", pattern=r"^[^\s+]{1,100}$")
    key_file: Path | None = None
    checkpoint_folder: Path | None = None
    sequencer_interval_ms: int = Field(default=200, ge=50, le=60_000)


class Webhooks(Section):
    """How messages leave the house, and which receivers may be called."""

    model_config = _STRICT
    https_only: bool = True
    ports: Ports = (443,)
    allowed_networks: Names = ()
    timeout_s: float = Field(default=15.0, gt=0, le=30)
    connect_timeout_s: float = Field(default=5.0, gt=0, le=30)
    senders: int = Field(default=4, ge=0, le=32)


class Inbound(Section):
    """Providers whose webhooks are taken in; several secrets, so that one can be changed without losing an event."""

    model_config = _STRICT
    stripe_secrets: Keys = ()


class Product(Section):
    """The product in which staff act for members; without it nobody can."""

    model_config = _STRICT
    client_id: str = Field(pattern=r"^[A-Za-z0-9._~-]{3,64}$")
    client_secret: Secret
    address: str
    console: str
    callback: str = Field(default="/sallyport/callback", pattern=r"^/[A-Za-z0-9._~/-]{1,200}$")
    key_folder: Path | None = None


class Jobs(Section):
    """Who runs jobs: this house by itself, or procrastinate on PostgreSQL for many machines."""

    model_config = _STRICT
    engine: Literal["own", "procrastinate"] = "own"
    runners: int = Field(default=2, ge=0, le=32)


class Settings(BaseSettings):
    """Everything that an installation decides; frozen, and complete before anything else starts."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
    environment: Literal["development", "demo", "staging", "production"]
    debug: bool = False
    var: Path = Path("var")
    policies: Path = Path("policies")
    local_passwords: Annotated[Literal["off", "on", "emergency"], BeforeValidator(_spelt)] = "off"
    server: Server = Field(default_factory=Server)
    database: Database = Field(default_factory=Database)
    secrets: Secrets
    oidc: Oidc | None = None
    tickets: Tickets = Field(default_factory=Tickets)
    billing: Billing = Field(default_factory=Billing)
    notices: Notices = Field(default_factory=Notices)
    letters: Letters = Field(default_factory=Letters)
    trail: Trail = Field(default_factory=Trail)
    webhooks: Webhooks = Field(default_factory=Webhooks)
    inbound: Inbound = Field(default_factory=Inbound)
    product: Product | None = None
    jobs: Jobs = Field(default_factory=Jobs)

    @property
    def database_url(self) -> str:
        """Return the control store's address; one file in the var folder when none is set."""
        return self.database.url.get_secret_value() if self.database.url else f"sqlite:///{self.var / 'sallyport.db'}"

    @property
    def plane_urls(self) -> Mapping[str, str]:
        """Return the address of each plane that does not share the control store's database."""
        return {name: url.get_secret_value() for name, url in self.database.planes.items()}

    @property
    def trail_key_file(self) -> Path:
        """Return the file of the key that signs checkpoints."""
        return self.trail.key_file or self.var / "trail.key"

    @property
    def checkpoint_folder(self) -> Path:
        """Return the folder of published checkpoints."""
        return self.trail.checkpoint_folder or self.var / "checkpoints"

    @property
    def product_key_folder(self) -> Path:
        """Return the folder of the keys that sign the product's tokens."""
        named = None if self.product is None else self.product.key_folder
        return named or self.var / "product-keys"

    @property
    def allows_local_passwords(self) -> bool:
        """Return whether staff may sign in with a password of this installation."""
        return self.local_passwords != "off"

    @property
    def passwords_are_for_emergencies(self) -> bool:
        """Return whether a password is only the way in while the identity provider is down."""
        return self.local_passwords == "emergency"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take what is given, then the TOML file; pydantic's own reader of the environment ignores unknown keys."""
        return init_settings, TomlConfigSettingsSource(settings_cls)
