"""Finds hledger, or installs Debian's: a ledger program of somebody else re-balances our journal."""

import os
import shutil
import subprocess
import sys


def hledger() -> str:
    """Return the program, installing Debian's package first where that is possible; raises RuntimeError."""
    found = shutil.which("hledger")
    if found is None and shutil.which("apt-get") and os.geteuid() == 0:
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        sys.stdout.write("Installing hledger for the tests of period closes (first time only)\n")
        sys.stdout.flush()
        for command in (("update", "-qq"), ("install", "-y", "-qq", "--no-install-recommends", "hledger")):
            subprocess.run(("apt-get", *command), env=environment, capture_output=True, check=True)
        found = shutil.which("hledger")
    if found is None:
        message = (
            "The tests of period closes need hledger, and there is none (Debian as root: apt-get install hledger)."
        )
        raise RuntimeError(message)
    return found


if __name__ == "__main__":
    hledger()
