"""Figures from runs: which runs a figure needs, making those that are missing, drawing, numbers beside the paper's."""

import csv
import difflib
import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cortex_model.errors import CortexModelError, ParameterError, RunError, in_short
from cortex_model.experiments.making import Report, RunRequest, make_runs
from cortex_model.parameters import content_hash
from cortex_model.rules import shipped
from cortex_model.runs.directory import RunDirectory
from cortex_model.runs.protocol import protocol_names
from cortex_model.runs.provenance import mind_other_sources
from cortex_model.system.sources import OwnCode, load_module, package_folder
from cortex_model.system.storage import write_whole

#: A row of the table that is printed: quantity, simulated, paper, source.
Row = dict[str, Any]
#: What stands below such a table.
INTERVALS = "[low, high], t(n): 95 % interval of the mean over seeds, by Student's t with n degrees of freedom."


@dataclass(frozen=True)
class Figure:
    """A panel of the paper.

    Attributes
    ----------
    name, title : str
    requests : callable
        (dataset, n_seeds) -> list of `RunRequest`: the runs that it shows.
    draw : callable
        (run directories, folder) -> rows: writes NAME.pdf, NAME.png and NAME.csv, and returns what to print.
    draw_again : callable, optional
        (CSV, folder) -> rows: the same from the CSV of what is shown, where that holds all of it.
    """

    name: str
    title: str
    requests: Callable[[str, int], list[RunRequest]]
    draw: Callable[[list[RunDirectory], Path], list[Row]]
    draw_again: Callable[[Path, Path], list[Row]] | None = None


# ---------------------------------------------------------------------- figures by name
def figure_folder() -> Path:
    """Folder of the figures that come with the package."""
    return package_folder("figures")


def figure_names() -> list[str]:
    """Names of the figures of the paper that come with the package."""
    return sorted(path.stem for path in figure_folder().glob("fig*.py"))


def protocol_figure_names() -> list[str]:
    """Names of the protocols beyond the paper that have a figure of their own, of the same name."""
    return [name for name in protocol_names() if (figure_folder() / f"{name}.py").is_file()]


def rule_figure_names() -> list[str]:
    """Names of the learning rules that have a figure of their own, of the same name; and of that of all together."""
    return [name for name in [*shipped(), "all_rules"] if (figure_folder() / f"{name}.py").is_file()]


def experiment_names() -> list[str]:
    """Names of the experiments that come with the package."""
    return sorted(path.stem for path in (figure_folder() / "experiments").glob("[a-z]*.py"))


#: Figures of runs of any protocol.
STOCK = ["curves", "rasters"]


def load_figure(name: str) -> Figure:
    """The figure of that name, of the paper, of a protocol or of an experiment; or the one that a user's file draws.

    Raises
    ------
    ParameterError
        If there is none, or the file draws none.
    """
    if str(name).endswith(".py"):
        return own_figure(Path(name))
    names = figure_names() + STOCK + protocol_figure_names() + rule_figure_names() + experiment_names()
    if name in experiment_names():
        experiment = load_module(figure_folder() / "experiments" / f"{name}.py").EXPERIMENT
        return load_module(figure_folder() / "drawing.py").figure_of(experiment)
    if name not in names:
        nearest = difflib.get_close_matches(name, names, n=1, cutoff=0.3)
        hint = f"did you mean {nearest[0]}?" if nearest else f"known are {', '.join(names)}."
        raise ParameterError(f"FIGURE: must be a figure's name (got {name!r}); {hint}")
    return load_module(figure_folder() / f"{name}.py").FIGURE


def own_figure(path: Path) -> Figure:
    """The figure of a user's file, which defines ``draw(runs, out)``.

    Parameters
    ----------
    path : Path
        ``draw`` is given a list of `RunDirectory` and a folder, writes what it likes there, and returns rows to print:
        a list of dicts with the same keys, or nothing.

    Raises
    ------
    ParameterError
        If the file is not Python that runs, or defines no such function.
    """
    if not path.is_file():
        raise ParameterError(f"FIGURE: must be a figure's name, or a file that is there (got {in_short(str(path))}).")
    code = OwnCode.read(path)
    drawing = getattr(code.load(), "draw", None)
    contract = "draw(runs, out), a function of a list of runs and a folder"
    if not inspect.isroutine(drawing):
        raise ParameterError(f"{path}: must define {contract} (got {in_short(drawing)}); see figures/README.md.")
    where = f"{path}, line {drawing.__code__.co_firstlineno}" if inspect.isfunction(drawing) else path
    try:
        inspect.signature(drawing).bind([], path)
    except TypeError as error:
        raise ParameterError(f"{where}: must define {contract} (got: {error}); see figures/README.md.") from None

    def draw(directories, out):
        try:
            Path(out).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _no_folder(out, error) from None
        with code.importable():
            rows = drawing(directories, Path(out)) or []
        is_table = isinstance(rows, list) and all(isinstance(row, dict) and list(row) == list(rows[0]) for row in rows)
        if not is_table:
            raise ParameterError(
                f"{where}: draw must return a list of dicts with the same keys, or nothing (got {in_short(rows)})."
            )
        return rows

    return Figure(path.stem, path.stem, _no_requests(path.name), draw)


def drawn_again(figure: Figure, file: Path, out: Path, run_dirs: Iterable[Path] | None = ()) -> list[Row]:
    """Draw a figure from the CSV of what it shows.

    Raises
    ------
    RunError
        If the figure cannot be drawn from its CSV, runs are given too, or the file is not what the figure writes.
    """
    got = "runs too" if run_dirs else "" if figure.draw_again else f"{figure.name}, which is drawn from runs alone"
    if got:
        raise RunError(f"--from-csv: must stand instead of runs, for a figure that its CSV holds whole (got {got}).")
    try:
        return figure.draw_again(Path(file), Path(out))
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        if isinstance(error, CortexModelError):
            raise
        raise RunError(
            f"--from-csv: must be a CSV that {figure.name} wrote (got {in_short(str(file))}: {type(error).__name__}: "
            f"{error}); give another."
        ) from None


def _no_requests(name):
    """What `reproduce` is told of a figure of runs of one's own."""

    def requests(dataset, n_seeds):
        raise ParameterError(
            f"FIGURE: must be a figure whose runs are known (got {name}, which draws any); draw runs of your own with "
            f"`cortex-model figure {name} RUN_DIRS`."
        )

    return requests


def runs_of(directories: Iterable[RunDirectory], protocol: str, figure: str) -> list[RunDirectory]:
    """The directories, if all are finished runs of the protocol that a figure shows.

    Raises
    ------
    RunError
        If there are none, one has not finished, or one belongs to another protocol.
    """
    directories = list(directories)
    got = {directory.path.name: directory.description()["protocol"] for directory in directories}
    same = {}
    for directory in directories:
        its = directory.description()
        other = same.setdefault(content_hash(its["parameters"], its["seed"], its["device"]), directory)
        if other is not directory:
            raise RunError(
                f"{figure}: must be given each run once (got {other.path} and {directory.path}, which are the same); "
                "leave one out."
            )
    strangers = [name for name, its in got.items() if its != protocol]
    unfinished = [directory.path.name for directory in directories if not directory.has_finished]
    if not directories or strangers or unfinished:
        found = f"{strangers[0]}" if strangers else f"{unfinished[0]}, not finished" if unfinished else "none"
        raise RunError(
            f"{figure}: must be given finished runs of {protocol} (got {found}); "
            f"make them with `cortex-model reproduce {figure}`."
        )
    return directories


def write_figure(drawn: Any, table: list[Row], name: str, out: Path) -> None:
    """Write a matplotlib figure as NAME.pdf and NAME.png, and exactly what it shows as NAME.csv.

    Parameters
    ----------
    drawn : matplotlib.figure.Figure
    table : list of dict
        One row a plotted point; all with the same keys.
    name : str
    out : Path
        Made if it is not there.

    Raises
    ------
    RunError
        If the folder cannot be written.
    """
    try:
        Path(out).mkdir(parents=True, exist_ok=True)
        pdf, png, text = (Path(out) / f"{name}.{kind}" for kind in ("pdf", "png", "csv"))
        write_whole(pdf, lambda part: drawn.savefig(part, format="pdf", metadata={"CreationDate": None}))
        write_whole(png, lambda part: drawn.savefig(part, format="png", dpi=200))
        write_whole(text, lambda part: _write_rows(part, table))
    except OSError as error:
        raise _no_folder(out, error) from None


def _write_rows(path, table):
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, table[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)


def _no_folder(out, error):
    return RunError(f"{out}: must be a folder that can be written (got: {error.strerror}); give another with --out.")


# ---------------------------------------------------------------------- runs, then figures
def reproduce(
    names: str | list[str],
    dataset: str,
    n_seeds: int,
    out: Path,
    device: str,
    report: Report = lambda *_: None,
    again: bool = False,
) -> list[Row]:
    """Make the runs that figures need and that are not there, draw the figures, return their numbers.

    Parameters
    ----------
    names : str or list of str
        ``fig1a`` ...; ``all`` for every figure.
    dataset : str
        For the figures that show a classification task.
    n_seeds : int
        Seeds 0 ... n_seeds - 1 of every setting.
    out : Path
        Figures go here, runs below ``out/runs``.
    device : str
    report : callable, optional
        (runs finished, runs in all, what is going on) -> None; the command line draws a bar.
    again : bool
        Whether finished runs that other sources of this package made are made anew; otherwise a warning counts them.

    Returns
    -------
    rows : list of dict
        Figure, quantity, simulated, paper, source.

    Raises
    ------
    ParameterError
        For an unknown figure or dataset.
    RunError
        If a run fails; those that have finished are kept and are not made again.
    """
    names = figure_names() if names == "all" else [names] if isinstance(names, str) else list(names)
    figures = [load_figure(name) for name in names]
    requests = {figure.name: figure.requests(dataset, n_seeds) for figure in figures}
    runs, rows = Path(out) / "runs", []
    wanted = [request for needed in requests.values() for request in needed]
    mind_other_sources([RunDirectory(runs / request.name(device)) for request in wanted], again)
    make_runs(wanted, runs, device, report)
    for figure in figures:
        directories = [RunDirectory.opened(runs / request.name(device)) for request in requests[figure.name]]
        rows += [{"figure": figure.name, **row} for row in figure.draw(directories, Path(out))]
    return rows
