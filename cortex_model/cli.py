"""The command line ``cortex-model``: parsing and printing only."""

import io
import itertools
import json
import logging
import math
import signal
import sys
import traceback
import warnings
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from typer.core import TyperCommand

from cortex_model.errors import CortexModelError, CortexModelWarning, ParameterError
from cortex_model.failures import told
from cortex_model.parameters import MOST_SEEDS, checked_number, checked_seed
from cortex_model.printing import err, out, out_folder_of, overrides, print_rows, progress_bar, tell

TRACEBACK = "--traceback"
#: More networks than any program holds in reasonable memory.
MOST_NETWORKS = 4096
app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
datasets_app = typer.Typer(help="Images to learn from: list, fetch, verify.", no_args_is_help=True)
app.add_typer(datasets_app, name="datasets")

Out = Annotated[
    Path,
    typer.Option(
        "--out", parser=out_folder_of, metavar="<path>", help="Folder below which run directories or figures are made."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")]
Device = Annotated[str | None, typer.Option("--device", help="runtime or cpp_standalone; the fastest there is.")]
Seed = Annotated[int, typer.Option("--seed", help="Seed of weights, noise and order of stimuli.")]
OfOtherSources = Annotated[
    bool, typer.Option("--again", help="Make runs anew that other sources of cortex-model made.")
]
Sets = Annotated[list[str] | None, typer.Option("--set", help="key=value: any parameter; see `parameters`.")]


@app.callback()
def options(
    traceback: Annotated[
        bool, typer.Option(TRACEBACK, help="Show where an error came from, too; at any place of the line.")
    ] = False,
) -> None:
    """Cortical hierarchies that learn through their reciprocal feedback connections, on Brian2."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line.

    Exit status: 0 on success; 2 on whatever a user can mend, with one sentence; 1 where runs of a sweep failed; 130 on
    interruption; 70 on what nobody foresaw, with one sentence that names the log of its traceback.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    warnings.showwarning = _show_warning
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # names of files may hold bytes that are no text
    given = sys.argv[1:] if arguments is None else arguments
    try:
        app([argument for argument in given if argument != TRACEBACK])
    except Interruption as error:
        where = (getattr(error, "__notes__", None) or ["RUN_DIR"])[0]
        print(f"Interrupted. Nothing is lost: `cortex-model resume {where}` goes on.", file=sys.stderr)
        sys.exit(130)
    except Exception as error:
        logging.getLogger("brian2.core.base").setLevel(logging.ERROR)  # of objects that are left in the middle
        if TRACEBACK in given:
            traceback.print_exception(error)
        sentence, status = told(error)
        print(sentence, file=sys.stderr)
        sys.exit(status)


def _show_warning(message, category, *where, shown=warnings.showwarning):
    """Print our own warnings as the sentences that they are."""
    if issubclass(category, CortexModelWarning):
        print(message, file=sys.stderr)
    else:
        shown(message, category, *where)


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
    ensemble_size: Annotated[int, typer.Option(help="Seeds to run in one program: --seed and those after.")] = 1,
    vary: Annotated[list[str] | None, typer.Option(help="key=value,value: also run each value in it.")] = None,
) -> None:
    """Run a protocol, or go on with it where it was interrupted."""
    from cortex_model.devices.availability import chosen_device
    from cortex_model.protocol import load_protocol
    from cortex_model.running import start

    given = overrides(sets)
    parameters = load_protocol(protocol).parameters().with_overrides(given)
    device = chosen_device(device)
    varied = [[(name, value) for value in text.split(",")] for name, text in overrides(vary, "--vary").items()]
    if twice := [values[0][0] for values in varied if values[0][0] in given]:
        raise ParameterError(f"--vary: {twice[0]} must be either varied or set (got both); leave out one of them.")
    parameters = parameters.with_overrides(dict(values[0] for values in varied))
    parameters.check_asked({*given} - ({"weight_decay"} if "learning_rule" in overrides(vary) else set()))
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
    from cortex_model.ensembles import start_together

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

    table, damaged = Table("run", "state", "rule or protocol", "seed", "device", "test error %", box=None), []
    for directory in find_runs(folder):
        try:
            given = directory.description()
            summary = directory.summary() if directory.has_finished else {}
        except CortexModelError as error:
            damaged.append(error)
            continue
        rule = dict(given["parameters"]).get("learning_rule", given["protocol"])
        row = (rule, given["seed"], given["device"], summary.get("final_test_error_percent", ""))
        table.add_row(str(directory.path.relative_to(folder)), directory.state, *map(str, row))
    if table.rows:
        out.print(table)
    elif not damaged:
        out.print(f"{folder} holds no runs yet; `cortex-model run PROTOCOL --out {folder}` makes one.", soft_wrap=True)
    for error in damaged:
        out.print(f"left out: {error}", soft_wrap=True, markup=False)


@app.command()
def protocols() -> None:
    """List the protocols and what they ask."""
    from cortex_model.protocol import load_protocol, protocol_names

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
    from cortex_model.protocol import load_protocol

    table = Table("parameter", "default", "unit", "range", "meaning", box=None)
    for row in load_protocol(protocol).parameters.table():
        table.add_row(*row.values())
    out.print(table)


# ---------------------------------------------------------------------- figures
class NamesFigures(TyperCommand):
    """A command whose help ends with every figure's name; looked up when it is asked for."""

    def format_help(self, ctx, formatter):
        """See `typer.core.TyperCommand`."""
        from cortex_model.reproduce import experiment_names, figure_names, protocol_figure_names

        kinds = {
            "Of the paper": figure_names(),
            "Of protocols": protocol_figure_names(),
            "Of experiments": experiment_names(),
        }
        self.epilog = "\n\n".join(f"{kind}: {', '.join(names)}" for kind, names in kinds.items())
        super().format_help(ctx, formatter)


@app.command(cls=NamesFigures)
def figure(
    name: Annotated[str, typer.Argument(metavar="FIGURE", help="Any of those below.")],
    run_dirs: Annotated[list[Path], typer.Argument(help="Finished runs of the protocol that the figure shows.")],
    out_folder: Out = Path("figures"),
) -> None:
    """Draw a figure from run directories: PDF, PNG and the CSV of what is plotted."""
    from cortex_model.reproduce import INTERVALS, load_figure
    from cortex_model.results import RunDirectory

    drawn = load_figure(name)
    rows = drawn.draw([RunDirectory.opened(path) for path in run_dirs], out_folder)
    print_rows(rows, INTERVALS)


@app.command(cls=NamesFigures)
def reproduce(
    name: Annotated[
        str, typer.Argument(metavar="FIGURE", help="Any of those below, or all: the figures of the paper.")
    ] = "all",
    dataset: Annotated[str, typer.Option(help="Dataset of Fig. 2B and of experiments.")] = "digits",
    seeds: Annotated[int, typer.Option(help="Seeds of each run.")] = 3,
    device: Device = None,
    out_folder: Out = Path("reproduced"),
    again: OfOtherSources = False,
) -> None:
    """Make the runs that a figure needs and that are not there yet, draw it, print its numbers beside the paper's."""
    from cortex_model.devices.availability import chosen_device
    from cortex_model.reproduce import INTERVALS
    from cortex_model.reproduce import reproduce as make

    checked_number("--seeds", seeds, MOST_SEEDS)
    print_rows(make(name, dataset, seeds, out_folder, chosen_device(device), again=again), INTERVALS)


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
    from cortex_model.reproduce import figure_folder
    from cortex_model.sources import load_module

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
    from cortex_model.reproduce import figure_folder
    from cortex_model.sources import load_module

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
