"""``mirror alerts``: what is open, who is told, and what they do first."""

from __future__ import annotations

import click

from mirror.cli.alerting import ack, deliver, listing, silence


class _ListsByDefault(click.Group):
    """``mirror alerts /Fleet`` and ``mirror alerts --severity high`` mean ``mirror alerts list ...``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, args or ["list"])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if not args or args[0] not in self.commands:
            args = ["list", *args]
        return super().resolve_command(ctx, args)


# Options that are not the group's own are those of `list`.
@click.group("alerts", cls=_ListsByDefault, context_settings={"ignore_unknown_options": True})
def command() -> None:
    """Open alerts, who is told, and what they do first; without a command: `list`.

    Quality alerts are about data, models and the pipeline; equipment alerts are about machines. They never mix: no
    route, channel, rotation or message carries both.

    \b
    Examples:
      mirror alerts
      mirror alerts list /Fleet/air_handler --severity HIGH
      mirror alerts deliver --dry-run
    """


for _one in (listing.command, ack.command, silence.command, deliver.command):
    command.add_command(_one)
