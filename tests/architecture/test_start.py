"""What a start loads: nothing that only some starts need."""

import subprocess
import sys

from tests.architecture.tree import ROOT

_SCRIPT = """
import gc, sys
import console.app
heavy = (
    "alembic", "authlib", "joserfc", "mako", "pygments", "requests", "rich.console", "segno", "stripe", "xlsxwriter",
)
print([name for name in heavy if type(sys.modules.get(name)) is type(sys)])
from console.adapters import oidc
print(hasattr(oidc, "nothing_of_this_name"), oidc.OidcClient.__module__)
from console.storage.upgrades import upgrade_database
print(upgrade_database.__module__, "alembic" in sys.modules)
print(gc.isenabled())
"""


def test_it_starts_without_what_most_starts_never_need_and_loads_it_on_first_use() -> None:
    done = subprocess.run([sys.executable, "-c", _SCRIPT], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "[]",
        "False console.adapters.oidc",
        "console.storage.upgrades True",
        "True",
    ]
