"""The command line: one file per command, found by listing this package. The only room that knows all others."""

from __future__ import annotations

import functools
import importlib
import pkgutil
import sys
import traceback

import click

from mirror.cli.context import CliContext
from mirror.errors import ExitCode, MirrorError, nearest


class _Commands(click.Group):
    """Finds ``cli/<name>.py``; a command is imported only when it is called, so no start-up pays for the others."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_names())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        module = importlib.import_module(f"{__name__}.{cmd_name}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if not name.startswith("-") and name not in self.list_commands(ctx):
            ctx.fail(f"No such command {name!r}.{nearest(name, self.list_commands(ctx))}")
        return super().resolve_command(ctx, args)


@functools.cache
def _names() -> tuple[str, ...]:
    here = importlib.import_module(__name__)
    return tuple(sorted(m.name for m in pkgutil.iter_modules(here.__path__) if m.name != "context" and not m.ispkg))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option(
    "--workspace",
    "workspace",
    default=".mirror",
    show_default=True,
    metavar="DIR",
    help="Where the catalog and data lie.",
)
@click.option("--repository", metavar="DIR", help="Read the code from here instead of the workspace's repository.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout, for machines.")
@click.version_option(package_name="foundry-mirror")
@click.pass_context
def cli(ctx: click.Context, workspace: str, repository: str | None, as_json: bool) -> None:
    """Build, check, score, monitor and promote a Foundry transforms repository outside Foundry.

    \b
    Examples:
      mirror init
      mirror build --dry-run
      mirror --workspace /srv/fleet --json datasets
      mirror doctor

    \b
    Every command ends with
      0  done
      1  a check, gate or job said no; what it says is in the output
      2  wrong use or input; the message names the way out
      3  a fault of ours; please report it
    """
    ctx.obj = CliContext(workspace_path=workspace, as_json=as_json, repository=repository)


def main(args: list[str] | None = None) -> None:
    """Entry point of ``mirror``: turns deliberate errors into one message and their exit code."""
    sys.exit(run(args))


def run(args: list[str] | None = None) -> int:
    """Runs one command line and returns its exit code; never raises."""
    try:
        result = cli.main(args=args, prog_name="mirror", standalone_mode=False)
    except MirrorError as error:
        click.echo(f"error: {error}", err=True)
        return int(error.exit_code)
    except click.ClickException as error:
        error.show()
        return int(ExitCode.USAGE)
    except click.exceptions.Exit as error:
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("cancelled", err=True)
        return int(ExitCode.REFUSED)
    except Exception:  # noqa: BLE001 - the outermost door: everything unforeseen leaves as exit 3 with its traceback
        traceback.print_exc()
        click.echo("error: this is a fault of foundry-mirror; please report it with the traceback above", err=True)
        return int(ExitCode.INTERNAL)
    return int(result) if isinstance(result, int) else int(ExitCode.DONE)
