"""`sallyport serve`, `demo` and `worker`: the processes that stay."""

from pathlib import Path

import click

from console.cli.shell import Shell, pass_shell
from console.settings.rules import is_loopback

_PORT = click.IntRange(1, 65_535)


def _own_machine(_context: click.Context, _option: click.Parameter, host: str) -> str:
    if not is_loopback(host):
        raise click.BadParameter("the demo's passwords are public, so it stays on this machine: use 127.0.0.1.")
    return host


@click.command()
@click.option("--host", help="Where to listen; instead of server.host in the settings.")
@click.option("--port", type=_PORT, help="Instead of server.port in the settings.")
@pass_shell
def serve(shell: Shell, host: str | None, port: int | None) -> None:
    """Serve the console, with its worker, until SIGTERM or Ctrl-C.

    Example: sallyport --config /etc/sallyport.toml serve --port 8000
    """
    shell.works.serve(shell.settings(server__host=host, server__port=port))


@click.command()
@click.option("--tenants", type=click.IntRange(10, 1_000_000), default=2_000, show_default=True, help="How many.")
@click.option("--host", default="127.0.0.1", show_default=True, callback=_own_machine, help="A loopback address.")
@click.option("--port", type=_PORT, default=8000, show_default=True)
@click.option(
    "--var", type=click.Path(path_type=Path), default=Path("var"), show_default=True, help="Folder of the demo's data."
)
@pass_shell
def demo(shell: Shell, *, tenants: int, host: str, port: int, var: Path) -> None:
    """Serve a made-up company; VAR/demo.json names its staff with passwords and one-time-code secrets.

    Example: sallyport demo --tenants 100000 --port 8080
    """
    shell.works.demo(tenants=tenants, host=host, port=port, var=var)


@click.command()
@click.option("--once", is_flag=True, help="Do each duty once and end; for schedulers such as cron.")
@pass_shell
def worker(shell: Shell, *, once: bool) -> None:
    """Do the recurring work: webhooks, jobs, trail order, checkpoints, ends of clocks, notices, recovery.

    Example: sallyport worker
    """
    shell.works.work(shell.settings(), once=once)
