"""`reconcile schema`: the published JSON Schemas, for editors and other programs."""

from __future__ import annotations

import click

from reconciler.cli import output
from reconciler.schemafile import NAMES, schema_text


@click.command(name="schema")
@click.argument("name", type=click.Choice(NAMES))
def command(name: str) -> None:
    """Print a JSON Schema (Draft 2020-12): of policy files, of reconciler.yaml, of plans."""
    output.show(schema_text(name))
