"""The stock figure of runs of any protocol: every measure against presentations, a colour a setting.

Runs that differ in the seed alone are one setting. Texts of strangers stand in it as they are: no formula is read.
"""

import warnings
from pathlib import Path
from textwrap import fill

import matplotlib

from cortex_model.errors import CortexModelWarning, RunError
from cortex_model.experiments.by_rule import line_of
from cortex_model.experiments.making import none_to_make
from cortex_model.experiments.reproduce import Figure, Row, figure_folder, write_figure
from cortex_model.experiments.statements import BANDS, statement
from cortex_model.reports.curves import Panel
from cortex_model.reports.reading import read_runs
from cortex_model.reports.settings import Chapter, chapters_of, interval_text
from cortex_model.reports.stock import stock_panels
from cortex_model.reports.words import printable
from cortex_model.runs.directory import RunDirectory
from cortex_model.system.sources import load_module

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

style = load_module(figure_folder() / "style.py")
panels_of = load_module(figure_folder() / "panels.py")
#: Panels side by side, and letters in a line of a title and of a name beside them.
COLUMNS, LONGEST = 3, 34
SHOWS = f"thin lines: single seeds, thick: their mean, {BANDS}"


requests = none_to_make("curves", "any")


def draw(directories: list[RunDirectory], out: Path) -> list[Row]:
    """Write curves_PROTOCOL.png, .pdf and .csv for each protocol of the runs; return the numbers at the end."""
    if not directories:
        raise RunError("curves: must be given finished runs (got none); name their folders.")
    runs, sentences = read_runs(directories)
    rows, names = [], []
    for chapter in chapters_of(runs):
        panels, left_out = stock_panels(chapter)
        if not panels:
            sentences.append(f"{chapter.protocol}: nothing to draw, no finished run has measures that change")
            continue
        names.append(f"curves_{chapter.protocol}")
        again = names.count(names[-1])
        picture(chapter, panels, left_out, names[-1] + f"_{again}" * (again > 1), Path(out))
        sentences += left_out
        rows += numbers(chapter, panels)
    for sentence in dict.fromkeys(sentences):
        warnings.warn(f"{sentence.rstrip('.')}.", CortexModelWarning, stacklevel=2)
    if not rows:
        raise RunError("curves: must be given finished runs with measures (got none); make them, or resume them.")
    return rows


def picture(chapter: Chapter, panels: list[Panel], left_out: list[str], name: str, out: Path) -> None:
    """The figure of the runs of one protocol."""
    n_columns = min(COLUMNS, len(panels))
    n_rows = -(-len(panels) // n_columns)
    colours = rule_colours(chapter)
    with style.styled(), warnings.catch_warnings(), style.literal():
        warnings.simplefilter("ignore", UserWarning)  # of letters that the font lacks
        has_names = len(chapter.drawn) > 1
        figure = plt.figure(figsize=(4.5 * n_columns + 3.4 * has_names, 3.8 * n_rows + 1.6))
        axes = figure.subplots(n_rows, n_columns, squeeze=False).ravel()
        for ax in axes[len(panels) :]:
            ax.remove()
        for ax, panel in zip(axes, panels, strict=False):
            panels_of.draw_panel(ax, panel, colours)
            ax.set_title(fill(panel.title, LONGEST), fontsize=15)
        style.letter(axes[: len(panels)])
        if has_names:
            legend(figure, chapter, colours)
        figure.suptitle(printable(title_of(chapter)), x=0.008, ha="left", fontsize=20)
        style.state(figure, *map(printable, [said(chapter), *left_out]))
        write_figure(figure, points(panels), name, out)
        plt.close(figure)


def title_of(chapter: Chapter) -> str:
    """The protocol, and the learning rule where all runs have the same."""
    rules = {str(run.row.parameters.get("learning_rule", "")).partition("#")[0] for run in chapter.runs}
    title = chapter.protocol.replace("_", " ")
    rule = rules.pop() if len(rules) == 1 else ""
    return title[:1].upper() + title[1:] + (f": {Path(rule).stem.replace('_', ' ')}" if rule else "")


def said(chapter: Chapter) -> str:
    """What the runs are."""
    parameters = [setting.finished[0].row.parameters for setting in chapter.drawn]
    n_seeds = [len(setting.finished) for setting in chapter.drawn]
    return statement(parameters, n_seeds, SHOWS if max(n_seeds) > 1 else "")


def rule_colours(chapter: Chapter) -> dict[int, str]:
    """Number of a setting -> the colour of its rule, where each setting has a rule of its own that has a colour."""
    found = {}
    for setting in chapter.drawn:
        parameters = setting.runs[0].row.parameters
        if not {"learning_rule", "damping"} <= set(parameters) or ".py" in str(parameters["learning_rule"]):
            return {}
        line = line_of(parameters)
        found[setting.number] = style.COLOURS.get(line) or style.COLOURS.get(line.partition(",")[0])
    is_own = None not in found.values() and len(set(found.values())) == len(found)
    return found if is_own else {}


def name_of(setting) -> str:
    """A setting in the legend: what differs in it, and its seeds."""
    return f"{printable(setting.label)} (n = {len(setting.finished)})"


def legend(figure, chapter: Chapter, colours: dict[int, str]) -> None:
    """Settings in their colours, beside the panels."""
    handles = [
        plt.Line2D([], [], color=colours.get(each.number, each.colour), linewidth=3, dashes=each.dash or (None, None))
        for each in chapter.drawn
    ]
    figure.legend(
        handles, [fill(name_of(each), LONGEST - 4) for each in chapter.drawn], loc="outside right center",
        frameon=False, fontsize=13, alignment="left",
    )  # fmt: skip


def points(panels: list[Panel]) -> list[Row]:
    """Every plotted point: of each seed, and the means with their intervals."""
    table = []
    for panel in panels:
        for curve in panel.curves:
            its = {"measure": panel.title, "setting": curve.setting.label}
            seeds = [run.seed for run in curve.setting.finished if any(run.over is over for over in curve.over)]
            for seed, over, values in zip(seeds, curve.over, curve.values, strict=True):
                table += [its | {"seed": seed, "over": x, "value": y, "low": "", "high": ""}
                          for x, y in zip(over, values, strict=True)]  # fmt: skip
            if curve.mean is not None and len(seeds) > 1:
                means = zip(curve.over[0], curve.mean, curve.low, curve.high, strict=True)
                table += [its | {"seed": "mean", "over": x, "value": y, "low": a, "high": b} for x, y, a, b in means]
    return table


def numbers(chapter: Chapter, panels: list[Panel]) -> list[Row]:
    """What is printed: each panel's last values, setting by setting."""
    return [
        {"protocol": chapter.protocol, "setting": curve.setting.label, "measure": panel.label,
         "simulated": interval_text([values[-1] for values in curve.values])}
        for panel in panels for curve in panel.curves
    ]  # fmt: skip


FIGURE = Figure("curves", "Learning curves of runs of any protocol", requests, draw)
