"""`reconcile`: the group, its help by occasion, and the pass that runs without a verb."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import click

from reconciler import __version__
from reconciler.cli.settings import Settings, configure_logging

if TYPE_CHECKING:
    from collections.abc import Mapping

_VERBS: Mapping[str, tuple[str, str, str]] = {
    # verb: (module, occasion, what it does)
    "status": ("status", "Every day", "what needs you"),
    "explain": ("explain", "Every day", "why one snapshot stays or goes"),
    "list": ("listing", "Every day", "what is on the NAS"),
    "lint": ("lint", "Policies", "check the files, offline"),
    "daemon": ("daemon", "Set up", "run for years"),
    "audit": ("audit", "For proof", "the trail: show, verify, export"),
    "schema": ("schema", "For tools", "a JSON Schema: policy, config or plan"),
    "demo": ("demo", "To try", "the main job against a simulated NAS"),
    "simulator": ("simulator", "To try", "a simulated DSM to try policies on"),
}
_OCCASIONS = ("Every day", "Policies", "Set up", "For proof", "For tools", "To try")


class Verbs(click.Group):
    """A group whose verbs are imported when they are called, and listed by occasion."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name every verb."""
        del ctx
        return list(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one verb; None for a word that is none."""
        del ctx
        if cmd_name not in _VERBS:
            return None
        module = importlib.import_module(f"reconciler.cli.{_VERBS[cmd_name][0]}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb, or say which one may have been meant."""
        if args and args[0] not in _VERBS and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], list(_VERBS), n=1)
            hint = f" Did you mean `{near[0]}`?" if near else ""
            raise click.UsageError(f"There is no command `{args[0]}`.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs by occasion, then the options of a pass."""
        self.format_commands(ctx, formatter)
        click.Command.format_options(self, ctx, formatter)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs by occasion: one line each, the occasion before the first."""
        del ctx
        wide = max(map(len, _VERBS))
        formatter.write("\n")
        for occasion in _OCCASIONS:
            lead = occasion
            for verb, (_, when, text) in _VERBS.items():
                if when == occasion:
                    formatter.write(f"{lead:<13}{verb:<{wide}}  {text}\n")
                    lead = ""


@click.group(
    cls=Verbs,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option("--dry-run", is_flag=True, help="Show what a pass would do, and why; write nothing.")
@click.option("--yes", is_flag=True, help="Apply without asking.")
@click.option("--nas", multiple=True, metavar="N|KEY=VALUE", help="Only these units.")
@click.option("--target", multiple=True, metavar="T", help="Only these shares or LUNs.")
@click.option("--policy", multiple=True, metavar="P", help="Only what these policies own.")
@click.option("--detailed-exitcode", is_flag=True, help="With --dry-run: 2 if there is work, 3 …")
@click.option("--now", metavar="TIME", help="With --dry-run: plan as of another moment.")
@click.option(
    "-o", "--format", "form", type=click.Choice(["text", "json", "markdown"]), default="text",
    help="How the plan is printed.",
)  # fmt: skip
@click.option("-v", "verbose", is_flag=True, help="List what is folded.")
@click.option("--no-input", is_flag=True, help="Never ask.")
@click.option("--metrics", metavar="FILE", help="After a pass: Prometheus metrics, replaced whole.")
@click.option("--config", metavar="FILE", help="The configuration; else ./reconciler.yaml or /etc.")
@click.option("--log-format", type=click.Choice(["console", "json"]), default="console")
@click.option("--verbose", "log_verbose", is_flag=True, help="Log every call, on stderr.")
@click.version_option(__version__, prog_name="reconcile")
@click.pass_context
def reconcile(ctx: click.Context, /, **options: Any) -> int | None:
    """Make the snapshots of your Synology shares and LUNs what the policies say.

    Without a command: one pass. On a terminal it shows the plan and asks once.
    """
    log_format = options.pop("log_format")
    told = ctx.invoked_subcommand == "daemon"
    configure_logging(log_format, verbose=options.pop("log_verbose"), told=told)
    settings = ctx.obj if isinstance(ctx.obj, Settings) else Settings()
    settings.config = options.pop("config") or settings.config
    ctx.obj = settings
    ctx.call_on_close(settings.close)
    if ctx.invoked_subcommand is not None:
        return None
    from reconciler.cli.run import Choice, run_pass

    return run_pass(settings, Choice(**options, json_logs=log_format == "json"))
