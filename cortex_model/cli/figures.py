"""Commands that draw, and that compare with recordings."""

import json
from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperCommand

from cortex_model.cli.app import Device, Json, OfOtherSources, Out, RunCode, app
from cortex_model.cli.printing import out, print_rows
from cortex_model.errors import ParameterError
from cortex_model.parameters import MOST_SEEDS, checked_number
from cortex_model.system.progress import progress_bar


class NamesFigures(TyperCommand):
    """A command whose help ends with every figure's name; looked up when it is asked for."""

    def format_help(self, ctx, formatter):
        """See `typer.core.TyperCommand`."""
        from cortex_model.experiments.reproduce import (
            STOCK,
            experiment_names,
            figure_names,
            protocol_figure_names,
            rule_figure_names,
        )

        kinds = {
            "Of the paper": figure_names(),
            "Of runs of any protocol (`figure` alone)": STOCK,
            "Of protocols": protocol_figure_names(),
            "Of learning rules": rule_figure_names(),
            "Of experiments": experiment_names(),
        }
        self.epilog = "\n\n".join(f"{kind}: {', '.join(names)}" for kind, names in kinds.items())
        super().format_help(ctx, formatter)


@app.command(cls=NamesFigures)
def figure(
    name: Annotated[str, typer.Argument(metavar="FIGURE", help="Any of those below, or a file of your own.")],
    run_dirs: Annotated[
        list[Path] | None,
        typer.Argument(help="Finished runs of the protocol that the figure shows, or folders of them."),
    ] = None,
    from_csv: Annotated[
        Path | None, typer.Option(help="Draw it again from the CSV of what it shows, instead of runs.")
    ] = None,
    out_folder: Out = Path("figures"),
) -> None:
    """Draw a figure from run directories: PDF, PNG and the CSV of what is plotted."""
    from cortex_model.experiments.reproduce import INTERVALS, drawn_again, load_figure
    from cortex_model.reports.reading import directories_in
    from cortex_model.runs.directory import RunDirectory
    from cortex_model.system.sources import reading

    drawn = load_figure(name)
    if from_csv is not None:
        rows = drawn_again(drawn, from_csv, out_folder, run_dirs)
    else:
        if not run_dirs:
            raise ParameterError(f"figure {name}: must be given run directories, or --from-csv (got none); name some.")
        found = [each for path in run_dirs for each in directories_in(path)]
        with reading():
            rows = drawn.draw([RunDirectory.opened(each.path) for each in found], out_folder)
    print_rows(rows, INTERVALS if any("simulated" in row for row in rows) else "")


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
    from cortex_model.experiments.reproduce import INTERVALS
    from cortex_model.experiments.reproduce import reproduce as make

    checked_number("--seeds", seeds, MOST_SEEDS)
    device = chosen_device(device)
    with progress_bar(name, "runs") as report:
        rows = make(name, dataset, seeds, out_folder, device, report, again)
    print_rows(rows, INTERVALS)


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
    run_code: RunCode = False,
    out_folder: Out = Path("compared"),
    as_json: Json = False,
) -> None:
    """Compare every population of a trained hierarchy with a recording of a brain that saw the same images."""
    from cortex_model.datasets import load_recording
    from cortex_model.experiments.comparing import compare_run, shown
    from cortex_model.experiments.reproduce import figure_folder
    from cortex_model.experiments.statements import statement_of
    from cortex_model.runs.directory import RunDirectory
    from cortex_model.system.sources import load_module

    recorded = load_recording(recording, stimuli, kind, variable)
    with progress_bar(f"comparing with {recorded.name}", "steps") as report:
        comparisons = compare_run(run_dir, recorded, metric, resamples, seed, report, run_code)
    said = statement_of([RunDirectory.opened(run_dir)], "")
    for comparison in comparisons:
        load_module(figure_folder() / "comparison.py").draw(comparison, out_folder, said)
        head, rows = shown(comparison)
        out.print(head, markup=False)
        print_rows(rows)
        for note in comparison.notes:
            out.print(note, markup=False)
    for comparison in comparisons if as_json else ():
        print(json.dumps(comparison.as_json()))
