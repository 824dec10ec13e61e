"""The command line ``cortex-model``: parsing and printing only."""

import itertools
import json
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from cortex_model.errors import CortexModelError, ParameterError
from cortex_model.printing import err, out, overrides, print_rows, progress_bar, tell

app = typer.Typer(
    help="Cortical hierarchies that learn through their reciprocal feedback connections, on Brian2.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
datasets_app = typer.Typer(help="Images to learn from: list, fetch, verify.", no_args_is_help=True)
app.add_typer(datasets_app, name="datasets")

Out = Annotated[Path, typer.Option("--out", help="Folder below which run directories or figures are made.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")]
Device = Annotated[str | None, typer.Option("--device", help="runtime or cpp_standalone; the fastest there is.")]
Seed = Annotated[int, typer.Option("--seed", help="Seed of weights, noise and order of stimuli.")]
Sets = Annotated[list[str] | None, typer.Option("--set", help="key=value: any parameter; see `parameters`.")]


def main() -> None:
    """Run the command line: 0 on success, 2 on a mistake with one sentence, 130 on interruption."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        app()
    except CortexModelError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    except Interruption as error:
        where = (getattr(error, "__notes__", None) or ["RUN_DIR"])[0]
        print(f"Interrupted. Nothing is lost: `cortex-model resume {where}` goes on.", file=sys.stderr)
        sys.exit(130)


class Interruption(BaseException):
    """Ctrl-C, or a request to terminate."""


def _interrupt(*_):
    raise Interruption


# ---------------------------------------------------------------------- runs
@app.command()
def run(
    protocol: Annotated[str, typer.Argument(help="A protocol's name, or a file that defines PROTOCOL.")],
    sets: Sets = None,
    device: Device = None,
    seed: Seed = 0,
    out_folder: Out = Path("runs"),
    as_json: Json = False,
    again: Annotated[bool, typer.Option("--again", help="Start anew even if the run has finished.")] = False,
    ensemble_size: Annotated[int, typer.Option(min=1, help="Seeds to run in one program: --seed and those after.")] = 1,
    vary: Annotated[list[str] | None, typer.Option(help="key=value,value: also run each value in it.")] = None,
) -> None:
    """Run a protocol, or go on with it where it was interrupted."""
    from cortex_model.devices.availability import check_device, default_device
    from cortex_model.protocol import load_protocol
    from cortex_model.running import start

    parameters = load_protocol(protocol).parameters().with_overrides(overrides(sets))
    check_device(device or default_device())
    varied = [[(name, value) for value in text.split(",")] for name, text in overrides(vary).items()]
    if not 0 <= seed < 2**31:
        raise ParameterError(f"--seed: must be a whole number from 0 to {2**31 - 1} (got {seed}); give another one.")
    if ensemble_size > 1 or varied:
        combinations = [parameters.with_overrides(dict(each)) for each in itertools.product(*varied)]
        settings = [(each, seed + n) for each in combinations for n in range(ensemble_size)]
        _run_together(protocol, settings, device or default_device(), out_folder, again, as_json)
        return
    with progress_bar(protocol) as report:
        summary = start(protocol, parameters, seed, device or default_device(), out_folder, report, again)
    tell(summary, as_json)


def _run_together(protocol, settings, device, out_folder, again, as_json):
    from cortex_model.ensembles import start_together

    with progress_bar(f"{protocol} ({len(settings)} networks)") as report:
        outcomes = start_together(protocol, settings, device, out_folder, report, again)
    for outcome in outcomes:
        if isinstance(outcome, dict):
            tell(outcome, as_json)
    failures = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    for failure in failures:
        if not isinstance(failure, CortexModelError):
            raise failure
        print(failure, file=sys.stderr)
    if failures:
        raise typer.Exit(2)


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
) -> None:
    """Run every combination of a grid with every seed; gather them in sweep.nc. Finished runs are not repeated."""
    from cortex_model.sweeps.sweeping import DATASET
    from cortex_model.sweeps.sweeping import sweep as make
    from cortex_model.sweeps.table import progress_table

    grid, fixed = overrides(grids, "--grid"), overrides(sets)
    where = (device, out_folder, scheduler, workers, ensemble_size)
    try:
        with progress_table(err) as report:
            dataset = make(protocol, grid, fixed, seeds, *where, report)
    except Interruption:
        print("Interrupted. Nothing is lost: the same command goes on.", file=sys.stderr)
        raise typer.Exit(130) from None
    n_failed = int((dataset["failure"] != "").sum())
    print(f"{dataset['run'].size} runs, {n_failed} failed: {out_folder / DATASET}")
    if n_failed:
        raise typer.Exit(1)


@app.command()
def resume(run_dir: Path, as_json: Json = False) -> None:
    """Go on with an interrupted run; the result is the same as without the interruption."""
    from cortex_model import running

    with progress_bar("resuming") as report:
        summary = running.resume(run_dir, report)
    tell(summary, as_json)


@app.command()
def runs(folder: Annotated[Path, typer.Argument(help="Folder of run directories.")] = Path("runs")) -> None:
    """List the runs below a folder."""
    from cortex_model.results import find_runs

    table = Table("run", "state", "rule or protocol", "seed", "device", "test error %", box=None)
    for directory in find_runs(folder):
        given = directory.description()
        summary = directory.summary() if directory.has_finished else {}
        table.add_row(
            str(directory.path.relative_to(folder)),
            directory.state,
            str(given["parameters"].get("learning_rule", given["protocol"])),
            str(given["seed"]),
            given["device"],
            str(summary.get("final_test_error_percent", "")),
        )
    out.print(table)


@app.command()
def protocols() -> None:
    """List the protocols and what they ask."""
    from cortex_model.protocol import load_protocol, protocol_names

    table = Table("protocol", "question", box=None)
    for name in protocol_names():
        table.add_row(name, load_protocol(name).question)
    out.print(table)


@app.command()
def parameters(protocol: str = "wake_sleep_classification") -> None:
    """Every parameter of a protocol: default, unit, range and meaning."""
    from cortex_model.protocol import load_protocol

    table = Table("parameter", "default", "unit", "range", "meaning", box=None)
    for row in load_protocol(protocol).parameters.table():
        table.add_row(*row.values())
    out.print(table)


# ---------------------------------------------------------------------- figures
@app.command()
def figure(name: str, run_dirs: list[Path], out_folder: Out = Path("figures")) -> None:
    """Draw a figure from run directories: PDF, PNG and the CSV of what is plotted."""
    from cortex_model.reproduce import load_figure
    from cortex_model.results import RunDirectory

    drawn = load_figure(name)
    rows = drawn.draw([RunDirectory.opened(path) for path in run_dirs], out_folder)
    print_rows(rows)


@app.command()
def reproduce(
    name: Annotated[
        str, typer.Argument(help="fig1a ... fig2b, all of them (all), a protocol's figure, or an experiment.")
    ] = "all",
    dataset: Annotated[str, typer.Option(help="Dataset of Fig. 2B and of experiments.")] = "digits",
    seeds: Annotated[int, typer.Option(min=1, help="Seeds of each run.")] = 3,
    device: Device = None,
    out_folder: Out = Path("reproduced"),
) -> None:
    """Make the runs that a figure needs and that are not there yet, draw it, print its numbers beside the paper's."""
    from cortex_model.devices.availability import check_device, default_device
    from cortex_model.reproduce import reproduce as make

    check_device(device or default_device())
    print_rows(make(name, dataset, seeds, out_folder, device or default_device()))


# ---------------------------------------------------------------------- recordings
@app.command()
def compare(
    run_dir: Annotated[Path, typer.Argument(help="A finished run that learned from images.")],
    recording: Annotated[
        str,
        typer.Option("--with", help="human_it, monkey_it, judgements, v4[:SESSION], recording.toml or a data file."),
    ],
    metric: Annotated[
        list[str] | None,
        typer.Option(help="spearman, kendall_tau_a, corrected_cosine; of responses also ridge, pls. Several: repeat."),
    ] = None,
    stimuli: Annotated[str | None, typer.Option(help="Images of a data file: folder, .zip, .npz or .npy.")] = None,
    kind: Annotated[str | None, typer.Option(help="What a data file holds: rdm or responses.")] = None,
    variable: Annotated[str | None, typer.Option(help="Name of the array in a data file.")] = None,
    resamples: Annotated[int | None, typer.Option(min=1, help="Of the bootstrap; 100 to 1000 by metric.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of resamples, parts and halves.")] = 0,
    out_folder: Out = Path("compared"),
    as_json: Json = False,
) -> None:
    """Compare every population of a trained hierarchy with a recording of a brain that saw the same images."""
    from cortex_model.comparing import compare_run, shown
    from cortex_model.datasets import load_recording
    from cortex_model.reproduce import figure_folder, load_module

    recorded = load_recording(recording, stimuli, kind, variable)
    with progress_bar(f"comparing with {recorded.name}", "steps") as report:
        comparisons = compare_run(run_dir, recorded, metric, resamples, seed, report)
    for comparison in comparisons:
        load_module(figure_folder() / "comparison.py").draw(comparison, out_folder)
        head, rows = shown(comparison)
        out.print(head, markup=False)
        print_rows(rows)
        for note in comparison.notes:
            out.print(note, markup=False)
    for comparison in comparisons if as_json else ():
        print(json.dumps(comparison.as_json()))


# ---------------------------------------------------------------------- datasets and devices
@datasets_app.command("list")
def list_datasets() -> None:
    """List the datasets and whether they are there."""
    from cortex_model.datasets import available

    table = Table("dataset", "state", "description", box=None)
    for row in available():
        table.add_row(*row)
    out.print(table)


@datasets_app.command("fetch")
def fetch_dataset(name: str) -> None:
    """Download a dataset into the cache and verify it."""
    from cortex_model.datasets import fetch

    paths = fetch(name)
    for path in paths:
        out.print(path)
    if not paths:
        out.print(f"{name} is embedded: there is nothing to fetch.")


@datasets_app.command("verify")
def verify_dataset(name: str) -> None:
    """Compare a dataset's files with their published checksums; exit status 2 where they differ."""
    from cortex_model.datasets import verify

    table, states = Table("file", "where", "state", box=None), verify(name)
    for row in states:
        table.add_row(row.file, str(row.where or ""), row.state)
    out.print(table if states else f"{name} is embedded: there is nothing to verify.")
    if any(row.state not in ("verified", "unverified") for row in states):
        raise typer.Exit(2)


@app.command()
def devices() -> None:
    """What this machine can run, what is missing, how to get it."""
    from cortex_model.devices.availability import device_states

    table = Table("device", "can run", "found", "missing", box=None)
    for state in device_states():
        table.add_row(state.device, "yes" if state.can_run else "no", state.found, state.missing)
    out.print(table)


@app.command()
def benchmark(
    sizes: Annotated[list[str] | None, typer.Option("--sizes", help="Layer sizes, such as 784,256,10.")] = None,
    widths: Annotated[str | None, typer.Option(help="Widths of hierarchies width-width-10: 64,128.")] = None,
    ensembles: Annotated[str | None, typer.Option(help="Numbers of networks in one program: 2,8.")] = None,
    devices: Annotated[
        list[str] | None, typer.Option("--devices", help="Devices to measure; all that can run here.")
    ] = None,
    dtype: Annotated[str, typer.Option(help="float32 or float64.")] = "float32",
    repetitions: Annotated[int, typer.Option(help="Repetitions, interleaved; the table holds medians.")] = 5,
    seconds: Annotated[float, typer.Option(help="Duration of the loop of one repetition.")] = 0.3,
    pytorch_python: Annotated[str | None, typer.Option(help="A Python that has PyTorch, if this one has not.")] = None,
    out_folder: Out = Path("benchmark"),
    as_json: Json = False,
) -> None:
    """Speed and memory of dense and stock projections, beside PyTorch, NumPy and a plain C++ loop, in one call."""
    from cortex_model.benchmark.report import benchmark as measure
    from cortex_model.benchmark.tables import shown
    from cortex_model.reproduce import figure_folder, load_module

    names = [name for text in devices or [] for name in text.split(",")] or None
    options = {"dtype": dtype, "repetitions": repetitions, "seconds": seconds, "pytorch_python": pytorch_python}
    with progress_bar("benchmark", "measurements") as report:
        result = measure(sizes, widths, ensembles, names, **options, report=report)
    load_module(figure_folder() / "benchmark.py").draw(result, out_folder)
    print_rows(shown(result["rows"]))
    print_rows(result["marks"])
    for sentence in result["skipped"]:
        out.print(f"left out: {sentence}")
    if as_json:
        print(json.dumps(result))
