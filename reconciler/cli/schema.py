"""`reconcile schema`: the published JSON Schemas, for editors and other programs."""

from __future__ import annotations

import click

from reconciler.cli import output
from reconciler.schemafile import NAMES, load_schema, schema_text


@click.command(name="schema")
@click.argument("name", type=click.Choice(NAMES))
@click.option("-o", "--format", "form", type=click.Choice(["json", "markdown"]), default="json")
def command(name: str, *, form: str) -> None:
    """Print a JSON Schema (Draft 2020-12), or with -o markdown a table of its keys."""
    if form == "markdown":
        from reconciler.report.keys import render_keys

        output.show(render_keys(load_schema(name)))
        return
    output.show(schema_text(name))
