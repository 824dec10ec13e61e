"""Commands that make runs, go on with them and list them."""

import itertools
import math
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from cortex_model.cli.app import Device, Interruption, Json, OfOtherSources, Out, RunCode, Seed, Sets, app
from cortex_model.cli.printing import out, overrides, tell
from cortex_model.errors import ParameterError
from cortex_model.parameters import MOST_SEEDS, checked_number, checked_seed
from cortex_model.system.failures import told
from cortex_model.system.progress import err, progress_bar

#: More networks than any program holds in reasonable memory.
MOST_NETWORKS = 4096


@app.command()
def run(
    protocol: Annotated[str, typer.Argument(help="A protocol's name, or a file that defines PROTOCOL.")],
    sets: Sets = None,
    device: Device = None,
    seed: Seed = 0,
    out_folder: Out = Path("runs"),
    as_json: Json = False,
    again: Annotated[bool, typer.Option("--again", help="Start anew even if the run has finished.")] = False,
    ensemble_size: Annotated[int, typer.Option(help="Seeds to run in one program: --seed and those after.")] = 1,
    vary: Annotated[list[str] | None, typer.Option(help="key=value,value: also run each value in it.")] = None,
) -> None:
    """Run a protocol, or go on with it where it was interrupted."""
    from cortex_model.devices.availability import chosen_device
    from cortex_model.runs.protocol import load_protocol
    from cortex_model.runs.running import start

    given = overrides(sets)
    parameters = load_protocol(protocol).parameters().with_overrides(given)
    device = chosen_device(device)
    varied = [[(name, value) for value in text.split(",")] for name, text in overrides(vary, "--vary").items()]
    if twice := [values[0][0] for values in varied if values[0][0] in given]:
        raise ParameterError(f"--vary: {twice[0]} must be either varied or set (got both); leave out one of them.")
    parameters = parameters.with_overrides(dict(values[0] for values in varied))
    if "learning_rule" not in overrides(vary):  # else the first rule need not read what another one does
        parameters.check_asked(given)
    seeds = [checked_seed(seed + n) for n in range(checked_number("--ensemble-size", ensemble_size, MOST_NETWORKS))]
    n_networks = len(seeds) * math.prod(map(len, varied))
    if n_networks > 1:
        checked_number("--vary", n_networks, MOST_NETWORKS, "networks in one program")
        combinations = [parameters.with_overrides(dict(each)) for each in itertools.product(*varied)]
        settings = [(each, at) for each in combinations for at in seeds]
        _run_together(protocol, settings, device, out_folder, again, as_json)
        return
    with progress_bar(protocol) as report:
        summary = start(protocol, parameters, seed, device, out_folder, report, again)
    tell(summary, as_json)


def _run_together(protocol, settings, device, out_folder, again, as_json):
    from cortex_model.runs.together import start_together

    with progress_bar(f"{protocol} ({len(settings)} networks)") as report:
        outcomes = start_together(protocol, settings, device, out_folder, report, again)
    for outcome in outcomes:
        if isinstance(outcome, dict):
            tell(outcome, as_json)
    failures = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    worst = 0
    for sentence, status in map(told, failures):
        print(sentence, file=sys.stderr)
        worst = max(worst, status)
    if failures:
        raise typer.Exit(worst)


@app.command()
def sweep(
    protocol: Annotated[str, typer.Argument(help="A protocol's name, or a file that defines PROTOCOL.")],
    grids: Annotated[
        list[str] | None,
        typer.Option("--grid", help="key=value,value: a swept parameter; layer_sizes='64,32,10;64,16,10'."),
    ] = None,
    sets: Sets = None,
    seeds: Annotated[int, typer.Option(help="Seeds of each combination: 0 and those after.")] = 1,
    scheduler: Annotated[str | None, typer.Option(help="Address of a dask scheduler; this machine.")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes on this machine; as many as cores.")] = None,
    device: Device = None,
    out_folder: Out = Path("runs"),
    ensemble_size: Annotated[int, typer.Option(help="Seeds to run in one program.")] = 1,
    again: OfOtherSources = False,
) -> None:
    """Run every combination of a grid with every seed; gather them in sweep.nc. Finished runs are not repeated."""
    from cortex_model.sweeps.sweeping import DATASET
    from cortex_model.sweeps.sweeping import sweep as make
    from cortex_model.sweeps.table import progress_table

    checked_number("--seeds", seeds, MOST_SEEDS)
    grid, fixed = overrides(grids, "--grid"), overrides(sets)
    where = (device, out_folder, scheduler, workers, ensemble_size)
    try:
        with progress_table(err) as report:
            dataset = make(protocol, grid, fixed, seeds, *where, report, again)
    except Interruption:
        print("Interrupted. Nothing is lost: the same command goes on.", file=sys.stderr)
        raise typer.Exit(130) from None
    n_failed = int((dataset["failure"] != "").sum())
    print(f"{dataset['run'].size} runs, {n_failed} failed: {out_folder / DATASET}")
    if n_failed:
        raise typer.Exit(1)


@app.command()
def resume(
    run_dir: Path,
    sets: Sets = None,
    as_json: Json = False,
    again: Annotated[bool, typer.Option("--again", help="Forget what is there, and start anew.")] = False,
    run_code: RunCode = False,
) -> None:
    """Go on with an interrupted run, to the same result as without the interruption.

    With --set, a new run begins where a finished one ended: --set epochs=5 are 5 more epochs.
    """
    from cortex_model.runs import running

    changed = overrides(sets)
    if changed and again:
        raise ParameterError("resume: must be given either --set or --again (got both); leave out one of them.")
    with progress_bar("resuming") as report:
        if changed:
            summary = running.go_on(run_dir, changed, report, run_code)
        else:
            summary = running.resume(run_dir, report, again, run_code)
    tell(summary, as_json)


@app.command()
def protocols() -> None:
    """List the protocols and what they ask."""
    from cortex_model.runs.protocol import load_protocol, protocol_names

    table = Table("protocol", "question", box=None)
    for name in protocol_names():
        table.add_row(name, load_protocol(name).question)
    out.print(table)


@app.command()
def parameters(
    protocol: Annotated[
        str, typer.Argument(help="A protocol's name, or a file that defines PROTOCOL.")
    ] = "wake_sleep_classification",
) -> None:
    """Every parameter of a protocol: default, unit, range and meaning."""
    from cortex_model.runs.protocol import load_protocol

    table = Table("parameter", "default", "unit", "range", "meaning", box=None)
    for row in load_protocol(protocol).parameters.table():
        table.add_row(*row.values())
    out.print(table)
