"""Commands that find runs again: a list with what differs, one in full, two beside each other, a page of several."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from cortex_model.cli.app import Json, app
from cortex_model.cli.printing import out, overrides, print_rows, tell
from cortex_model.system.progress import progress_bar


@app.command()
def runs(
    folder: Annotated[Path, typer.Argument(help="Folder of run directories.")] = Path("runs"),
    where: Annotated[
        list[str] | None, typer.Option("--where", help="name=value: only runs with it; a parameter, state, seed ...")
    ] = None,
    sort: Annotated[str, typer.Option(help="A parameter, started, state, or a number of the summary.")] = "started",
    as_json: Json = False,
) -> None:
    """List the runs below a folder: what differs between them, when they began, and how they ended."""
    from cortex_model.runs.listing import FACTS, differing, listed, selected

    rows, damaged = listed(folder)
    rows = selected(rows, overrides(where, "--where"), "" if sort == "started" else sort)
    rows = sorted(rows, key=lambda row: row.facts["started"]) if sort == "started" else rows
    names = differing(rows)
    if as_json:
        print(json.dumps([row.facts | {"parameters": row.parameters, "summary": row.summary} for row in rows]))
    elif rows:
        facts = [fact for fact in FACTS if fact in FACTS[:3] or len({row.facts[fact] for row in rows}) > 1]
        table = Table(*facts, *names, "result", box=None)
        for row in rows:
            values = ["" if row.value(name) is None else _text(row.value(name)) for name in names]
            table.add_row(*(row.facts[fact] for fact in facts), *values, row.result)
        out.print(table)
        alike = [f"{fact} {rows[0].facts[fact]}" for fact in FACTS if fact not in facts]
        if len(rows) > 1 and alike:
            out.print(f"alike in all {len(rows)}: {', '.join(alike)}", markup=False)
    elif not damaged and not where:
        out.print(f"{folder} holds no runs yet; `cortex-model run PROTOCOL --out {folder}` makes one.", soft_wrap=True)
    for error in damaged:
        out.print(f"left out: {error}", soft_wrap=True, markup=False)


def _text(value):
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


@app.command()
def show(run_dir: Path, as_json: Json = False) -> None:
    """One run: its question, what was chosen, where it comes from, what came out, how to go on."""
    from cortex_model.runs.directory import RunDirectory
    from cortex_model.runs.listing import shown

    tell(shown(RunDirectory.opened(run_dir)), as_json)


@app.command()
def diff(one: Path, other: Path, as_json: Json = False) -> None:
    """What differs between two runs: parameters, sources, results."""
    from cortex_model.runs.directory import RunDirectory
    from cortex_model.runs.listing import differences

    rows = differences(RunDirectory.opened(one), RunDirectory.opened(other))
    if as_json:
        print(json.dumps({row[""]: [row["one"], row["other"]] for row in rows}))
    elif rows:
        print_rows(rows)
    else:
        out.print("They do not differ.")


@app.command()
def report(
    run_dirs: Annotated[list[Path], typer.Argument(help="Run directories, or folders that hold some.")],
    out_file: Annotated[Path, typer.Option("--out", metavar="<file>", help="The page; .html.")] = Path("report.html"),
) -> None:
    """Write one HTML page about runs, to be sent: question, parameters, curves, weights, failures, cost, provenance."""
    from cortex_model.reports.page import write_report

    with progress_bar("report", "steps") as progress:
        path, sentences = write_report(run_dirs, out_file, progress)
    for sentence in sentences:
        out.print(sentence, soft_wrap=True, markup=False)
    out.print(f"{path} ({path.stat().st_size / 1e6:.1f} MB) holds all that it shows.", soft_wrap=True, markup=False)
