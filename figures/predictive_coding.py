"""Predictive coding: error units in time, what feedback reconstructs, and whether it may learn in sleep.

Three ways in which feedback comes to carry prediction errors: it follows the forward weights; it learns by the same
product from a random start; or it learns in sleep, by recirculation, and is a pseudoinverse.
"""

from pathlib import Path

import matplotlib
import numpy as np

from cortex_model.analysis.learning_curves import grouped, learning_curve, mean_and_interval
from cortex_model.errors import ParameterError
from cortex_model.experiments.reproduce import Figure, Row, RunRequest, figure_folder, runs_of, write_figure
from cortex_model.experiments.statements import statement_of
from cortex_model.reference.hierarchy import interpreter_of, presented
from cortex_model.runs.directory import RunDirectory
from cortex_model.runs.protocol import parameters_of
from cortex_model.system.sources import load_module

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

style = load_module(figure_folder() / "style.py")

PROTOCOL, RULE = "wake_sleep_classification", "predictive_coding"
SHARED = {
    "learning_rule": RULE, "feedback_to_input": True, "inference_steps": 10, "top_precision": 0.1,
    "inference_rate": 0.2,
}  # fmt: skip
ASLEEP = {"sleep_normalisation": True, "sleep_learning_rate": 0.5, "sleep_per_wake": 0.1}
#: Settings of a dataset; learning rates were chosen on held-back images (`figures/experiments/all_rules.py`).
SETTINGS = {
    "digits": {"layer_sizes": (64, 48, 32, 10), "batch_size": 10, "epochs": 10, "learning_rate": 0.1},
    "mnist": {
        "dataset": "mnist", "layer_sizes": (784, 256, 256, 10), "batch_size": 40, "epochs": 2, "learning_rate": 0.2,
        "chunk_presentations": 2500, "evaluate_every_presentations": 10_000,
    },
}  # fmt: skip
SLEEP_FIRST = {"digits": 4000, "mnist": 12_000}
#: Word of ``feedback_learning`` -> what it is called, its colour, its line.
FORMS = {
    "transpose": ("V follows W", "#0072B2", "-"),
    "hebbian": ("V learns by the same product", "#E69F00", "--"),
    "sleep": ("V learns in sleep, damping 0", "#009E73", ":"),
}
OF_FORM = {"hebbian": {"weight_decay": 1e-5}, "sleep": ASLEEP | {"damping": 0.0}}
LEVEL_COLOURS = ("#7A4FA3", "#D55E00", "#444444")
#: Of the trace: when the target is there, how long all takes, from when on it is shown, and of how many test images.
IN_TIME = {"dynamics": "leaky", "time_constant_ms": 10.0, "presentation_ms": 300.0, "feedback_onset_ms": 160.0}
SHOWN_BEFORE_MS = 20.0
N_TRACED, N_UNITS, N_IMAGES = 100, 3, 8
SHOWS = "thin lines: single seeds, thick: their mean"


def requests(dataset: str, n_seeds: int) -> list[RunRequest]:
    """Each form with each seed.

    Raises
    ------
    ParameterError
        For a dataset without a setting here.
    """
    if dataset not in SETTINGS:
        raise ParameterError(f"{RULE}.dataset: must be one of {', '.join(SETTINGS)} (got {dataset!r}); choose one.")
    asked = []
    for form in FORMS:
        given = SHARED | SETTINGS[dataset] | {"feedback_learning": form} | OF_FORM.get(form, {})
        given |= {"sleep_before_presentations": SLEEP_FIRST[dataset]} if form == "sleep" else {}
        asked += [RunRequest(PROTOCOL, given, seed) for seed in range(n_seeds)]
    return asked


def draw(directories: list[RunDirectory], out: Path) -> list[Row]:
    """NAME_DATASET.*: error units in time, errors of populations in time, reconstructions, test error."""
    arms = {form: runs for (form,), runs in grouped(runs_of(directories, PROTOCOL, RULE), "feedback_learning").items()}
    arms = {form: arms[form] for form in FORMS if form in arms}
    runs = [run for its in arms.values() for run in its]
    dataset = runs[0].description()["parameters"]["dataset"]
    traces = {form: [traced(run) for run in its] for form, its in arms.items()}
    with style.styled():
        figure, axes = plt.subplot_mosaic([["units", "levels"], ["images", "error"]], figsize=(13.33, 10.6))
        table = draw_units(axes["units"], next(iter(traces.values()))[0])
        table += draw_levels(axes["levels"], traces)
        draw_images(axes["images"], {form: its[0] for form, its in arms.items()})
        table += draw_error(axes["error"], arms)
        style.letter(axes.values())
        style.state(figure, statement_of(runs, SHOWS), *sentences(traces))
        write_figure(figure, table, f"{RULE}_{dataset}", out)
        plt.close(figure)
    return numbers(arms)


def sentences(traces) -> list[str]:
    """What the line below says of single panels."""
    first = FORMS[next(iter(traces))][0]
    times = f"0 ms: the target is shown, {IN_TIME['feedback_onset_ms']:g} ms after the image"
    return [
        f"A and B: time constant {IN_TIME['time_constant_ms']:g} ms, {times}",
        f"A: the image with the largest error at the top, seed 0, {first}, {N_UNITS} units of each population; "
        f"B: over {N_TRACED} test images, colours as in A; C: V_1 times the rates of population 1, seed 0",
    ]


def traced(run: RunDirectory) -> dict:
    """Prediction errors of every population, step by step, for test images with their targets; nothing is kept."""
    p = parameters_of(run).with_overrides(IN_TIME)
    data = p.data()
    stimuli, targets = (part[1][:N_TRACED] for part in (data.stimuli(p.stimulus_scaling, "float64"), data.targets()))
    interpreter, steps = interpreter_of(p, run.weights()), []

    def keep():
        its, top = interpreter.state, p.n_layers
        errors = {l: its[l]["value"] - its[l]["basal_drive"] for l in range(1, top)}
        answered = np.nan_to_num(its[top]["error"])
        steps.append({**errors, top: answered})

    interpreter.present("wake", stimuli, targets, each_step=keep)
    times = p.time_step_ms * np.arange(1, p.n_steps + 1) - p.feedback_onset_ms
    kept = times >= -SHOWN_BEFORE_MS
    return {"times": times[kept], "errors": {l: np.array([step[l] for step in steps])[kept] for l in steps[0]}}


def level_name(level: int, top: int) -> str:
    """What a population is called."""
    return "top" if level == top else f"population {level}"


def draw_units(ax, trace) -> list[Row]:
    """The error units of each population that end furthest from 0, for the image with the largest error at the top."""
    table, top = [], max(trace["errors"])
    image = np.abs(trace["errors"][top][-1]).sum(axis=1).argmax()
    for level, errors in trace["errors"].items():
        one = errors[:, image]
        for n, unit in enumerate(np.argsort(-np.abs(one[-1]))[:N_UNITS]):
            name = level_name(level, top) if n == 0 else None
            ax.plot(trace["times"], one[:, unit], color=LEVEL_COLOURS[level - 1], linewidth=1.8, label=name)
            table += [row("error of a unit", f"{level_name(level, top)}, unit {unit}", *at)
                      for at in zip(trace["times"], one[:, unit], strict=True)]  # fmt: skip
    onset(ax)
    ax.set(title="Error units in time", xlabel="time from the target on (ms)", ylabel="prediction error")
    ax.legend(loc="best", frameon=False)
    return table


def draw_levels(ax, traces) -> list[Row]:
    """Root mean square of the errors of each population, for each form of feedback."""
    table = []
    for form, its in traces.items():
        name, _, dash = FORMS[form]
        top = max(its[0]["errors"])
        for level in its[0]["errors"]:
            rms = np.array([np.sqrt(np.mean(trace["errors"][level] ** 2, axis=(1, 2))) for trace in its])
            table += lines(ax, f"rms error, {name}, {level_name(level, top)}", its[0]["times"], rms,
                           LEVEL_COLOURS[level - 1], dash)  # fmt: skip
    for form in traces:
        ax.plot([], [], color="#222222", linestyle=FORMS[form][2], label=FORMS[form][0])
    onset(ax)
    ax.set(title="Errors of each population", xlabel="time from the target on (ms)", ylabel="root mean square")
    ax.set_yscale("log")
    ax.set_ylim(bottom=max(ax.get_ylim()[0] / 10, 1e-6))  # room for the legend
    ax.legend(loc="lower right", frameon=False)
    return table


def lines(ax, quantity: str, x, values, colour: str, dash: str, label: str | None = None) -> list[Row]:
    """Every seed as a thin line, their mean as a thick one; shape (n_seeds, n_x)."""
    mean, low, high = mean_and_interval(values, least=0)
    for one in values if len(values) > 1 else ():
        ax.plot(x, one, color=colour, linestyle=dash, linewidth=0.8, alpha=0.5)
    ax.plot(x, mean, color=colour, linestyle=dash, linewidth=2.4, label=label)
    table = [row(quantity, "mean", *at) for at in zip(x, mean, low, high, strict=True)]
    return table + [row(quantity, f"seed {n}", *at) for n, one in enumerate(values) for at in zip(x, one, strict=True)]


def onset(ax) -> None:
    """Mark when the target is there."""
    ax.axvline(0, color="#999999", linewidth=1, linestyle="--")


def draw_images(ax, runs: dict[str, RunDirectory]) -> None:
    """Test images, and what V_1 makes of the rates that they evoke in population 1."""
    rows, names = [], []
    for form, run in runs.items():
        p = parameters_of(run)
        shown = p.data().stimuli(p.stimulus_scaling, "float64")[1][:N_IMAGES]
        if not rows:
            rows, names = [shown], ["test image"]
        rows.append(presented(p, run.weights(), "perception", shown, "apical_drive")[0])
        names.append(FORMS[form][0].replace("V learns", "V learns\n").replace(", damping", ",\ndamping"))
    side = int(np.sqrt(rows[0].shape[1]))
    gap = max(1, side // 8)
    tiles = [np.hstack([padded(scaled(image).reshape(side, side), gap) for image in images]) for images in rows]
    ax.imshow(np.vstack(tiles), cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
    ax.set_yticks([(side + gap) * (k + 0.5) for k in range(len(rows))], names)
    ax.set_xticks([])
    for spine in ax.spines.values():
        spine.set_visible(False)
    ax.grid(False)
    ax.tick_params(length=0)
    ax.set_title("What feedback reconstructs")


def padded(image: np.ndarray, gap: int) -> np.ndarray:
    """An image with nothing to its right and below it."""
    return np.pad(image, ((0, gap), (0, gap)), constant_values=np.nan)


def scaled(image: np.ndarray) -> np.ndarray:
    """An image from 0 to 1."""
    low, high = image.min(), image.max()
    return (image - low) / (high - low or 1.0)


def draw_error(ax, arms) -> list[Row]:
    """Test error against presentations."""
    table = []
    for form, runs in arms.items():
        name, colour, dash = FORMS[form]
        curve = learning_curve(runs, "test_error_percent", "wake_presentations")
        shown = curve["over"] > 0
        values = np.array(curve["values"])[:, shown]
        table += lines(ax, f"test error (%), {name}", curve["over"][shown], values, colour, dash, name)
    ax.set(title="Test error", xlabel="presentations in wake", ylabel="test error (%)", yscale="log")
    ax.yaxis.set_major_formatter(matplotlib.ticker.FuncFormatter(lambda value, _: f"{value:g}"))
    ax.yaxis.set_minor_formatter(matplotlib.ticker.NullFormatter())
    ax.yaxis.set_major_locator(matplotlib.ticker.LogLocator(subs=(1, 1.5, 2, 3, 4, 5, 7)))
    ax.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(5))
    ax.xaxis.set_major_formatter(matplotlib.ticker.FuncFormatter(lambda value, _: f"{value:,.6g}"))
    ax.legend(frameon=False)
    return table


def row(quantity: str, line: str, x: float, value: float, low: float = np.nan, high: float = np.nan) -> Row:
    """A plotted point."""
    numbers = {"x": x, "value": value, "low": low, "high": high}
    return {"quantity": quantity, "line": line} | {name: float(f"{number:.5g}") for name, number in numbers.items()}


def numbers(arms) -> list[Row]:
    """What is printed: the last test error of each form, and how V lies to W^T and W^+."""
    rows = []
    for form, runs in arms.items():
        measures = [run.measures() for run in runs]
        for quantity, name in (
            ("test error (%)", "test_error_percent"),
            ("V to W^+ (degrees)", "alignment_angle_to_pseudoinverse_degrees"),
            ("V to W^T (degrees)", "alignment_angle_to_transpose_degrees"),
            ("update to backpropagation (degrees)", "update_angle_to_backpropagation_degrees"),
        ):
            mean, low, high = mean_and_interval(np.array([np.mean(m[name].values[-1]) for m in measures]), least=0)
            shown = f"{mean:.2f}" if np.isnan(low) else f"{mean:.2f} [{low:.2f}, {high:.2f}]"
            what = f"{quantity}, {FORMS[form][0]}"
            rows.append({"quantity": what, "simulated": shown, "paper": "-", "source": "not in the paper"})
    return rows


FIGURE = Figure("predictive_coding", "Predictive coding with feedback that learns", requests, draw)
