"""Commands about data and machines: datasets, devices, benchmark."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from cortex_model.cli.app import Json, Out, app
from cortex_model.cli.printing import out, print_rows, tell
from cortex_model.system.progress import progress_bar

datasets_app = typer.Typer(help="Stimuli to learn from: list, show, fetch, verify.", no_args_is_help=True)
app.add_typer(datasets_app, name="datasets")


@datasets_app.command("list")
def list_datasets() -> None:
    """List the datasets and whether they are there."""
    from cortex_model.datasets import available

    table = Table("dataset", "state", "description", box=None)
    for row in available():
        table.add_row(*row)
    out.print(table)


@datasets_app.command("show")
def show_dataset(
    name: Annotated[str, typer.Argument(help="A name, or a file or a folder of your own.")],
    json_: Json = False,
) -> None:
    """Read a dataset as a run would: how many stimuli, classes or targets, the split, what was guessed."""
    from cortex_model.datasets import load

    data = load(name)
    tell(
        {
            "dataset": data.name,
            "training_stimuli": data.train.n_stimuli,
            "test_stimuli": data.test.n_stimuli,
            "elements": data.train.n_pixels,
            "values": f"{data.train.min_value:g} to {data.train.max_value:g}",
            "classes": list(data.class_names),
            "targets": 0 if data.n_classes else data.train.targets.shape[1],
            "layer_sizes": f"{data.train.n_pixels},...,{data.n_classes or data.train.targets.shape[1]}",
            "notes": list(data.notes),
        },
        json_,
    )


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
    from cortex_model.experiments.reproduce import figure_folder
    from cortex_model.system.sources import load_module

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
