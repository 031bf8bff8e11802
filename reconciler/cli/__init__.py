"""The command line: one file per verb; it only wires and prints."""

from __future__ import annotations

import sys

import click

from reconciler.cli.exits import Exit
from reconciler.errors import InvalidDocuments, ReconcilerError


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code.

    An error of this package is one sentence on stderr without a traceback; any other is a bug and
    shows its traceback. Ctrl-C and SIGTERM break off alike, so that every session is signed out.
    """
    from reconciler.cli.halt import Halt
    from reconciler.cli.root import reconcile

    halt = Halt()
    try:
        with halt.heeding(), halt.answering():
            code = reconcile.main(arguments, prog_name="reconcile", standalone_mode=False)
    except click.exceptions.Exit as error:
        return error.exit_code
    except (click.ClickException, click.Abort, KeyboardInterrupt, ReconcilerError) as error:
        return _told(error)
    except BrokenPipeError:
        sys.stderr.close()
        return Exit.FAILED
    return code if isinstance(code, int) else Exit.DONE


def _told(error: BaseException) -> int:
    """Tell the person what went wrong, and return the exit code."""
    if isinstance(error, click.UsageError):
        _say(error.format_message(), _usage_hint(error))
        return Exit.USAGE
    if isinstance(error, InvalidDocuments):
        from reconciler.cli.output import say_findings

        say_findings(error.findings)
        return error.exit_code
    if isinstance(error, ReconcilerError):
        _say(str(error), error.next_step)
        return error.exit_code
    _say("stopped; nothing more is sent", "")
    return Exit.FAILED


def _say(text: str, next_step: str) -> None:
    from reconciler.report.style import printable

    click.echo(f"error: {printable(text)}", err=True)
    if next_step:
        click.echo(f"next: {printable(next_step)}", err=True)


def _usage_hint(error: click.UsageError) -> str:
    path = error.ctx.command_path if error.ctx is not None else "reconcile"
    return f"{path} --help"
