"""A Helmholtz machine learns to produce images: free energy over presentations, and what it dreams in the end.

After Hinton, Dayan, Frey & Neal (Science 268, 1995), on images of bits.
"""

from math import isqrt
from pathlib import Path

import matplotlib
import numpy as np

from cortex_model.analysis.learning_curves import learning_curve, mean_and_interval, with_interval
from cortex_model.errors import ParameterError, RunError
from cortex_model.experiments.reproduce import Figure, Row, RunRequest, figure_folder, runs_of, write_figure
from cortex_model.experiments.statements import statement_of
from cortex_model.runs.directory import RunDirectory
from cortex_model.system.sources import load_module

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

style = load_module(figure_folder() / "style.py")

PROTOCOL = "helmholtz_machine"
SETTINGS = {
    "digits": {"evaluate_every_presentations": 14370, "evaluate_early_every_presentations": 1437},
    "mnist": {
        "dataset": "mnist",
        "layer_sizes": (784, 200, 50),
        "epochs": 10,
        "evaluate_every_presentations": 60_000,
        "evaluate_early_every_presentations": 6000,
        "chunk_presentations": 2000,
    },
}
#: Measure -> (its line, colour), in nats.
CURVES = {
    "free_energy_nats": ("free energy", "#0072B2"),
    "negative_log_likelihood_nats": ("negative log likelihood", "#009E73"),
    "independent_pixels_nats": ("independent pixels", "#444444"),
}
#: Kind of image -> (its title, colour of its bar).
IMAGES = {
    "test_images": ("Images", "#B0B0B0"),
    "dreams": ("Dreams", "#0072B2"),
    "independent_pixels": ("Independent pixels", "#444444"),
}
#: Images in a row, and rows.
N_COLUMNS, N_ROWS = 5, 13
SHOWS = "bands and bars: 95 % interval of the mean over seeds (Student's t)"
SOURCE = "Hinton et al. 1995"


def requests(dataset: str, n_seeds: int) -> list[RunRequest]:
    """One setting with each seed.

    Raises
    ------
    ParameterError
        For a dataset without a setting here.
    """
    if dataset not in SETTINGS:
        raise ParameterError(
            f"helmholtz_machine.dataset: must be one of {', '.join(SETTINGS)} (got {dataset!r}); choose one."
        )
    return [RunRequest(PROTOCOL, SETTINGS[dataset], seed) for seed in range(n_seeds)]


def draw(directories: list[RunDirectory], out: Path) -> list[Row]:
    """Curves and distances on the left; images, dreams and independent pixels of the first run on the right."""
    runs = runs_of(directories, PROTOCOL, PROTOCOL)
    dreamed = [run.arrays("dreams.nc") for run in runs]
    with style.styled():
        mosaic = [["curves", *IMAGES], ["bits", *IMAGES]]
        figure, axes = plt.subplot_mosaic(
            mosaic, figsize=(13.33, 7), width_ratios=(1.75, 1, 1, 1), height_ratios=(1.9, 1)
        )
        table = draw_curves(axes["curves"], runs)
        table += draw_bits(axes["bits"], dreamed)
        for name, (title, colour) in IMAGES.items():
            draw_images(axes[name], dreamed[0][name].values[: N_COLUMNS * N_ROWS], title, colour)
        style.letter([axes["curves"], axes["bits"], *(axes[name] for name in IMAGES)])
        style.state(figure, statement_of(runs, SHOWS), shown_images(runs, dreamed))
        write_figure(figure, table, f"{PROTOCOL}_{runs[0].summary()['dataset']}", out)
        plt.close(figure)
    return numbers(runs, dreamed)


def shown_images(runs, dreamed) -> str:
    """What is evaluated, and which images are shown."""
    n = dreamed[0]["dreams"].shape[0]
    held_back = runs[0].description()["parameters"]["validation_images"]
    kind = "images held back" if held_back else "test images"
    seed = runs[0].description()["seed"]
    whose = f"C: the first {kind}; D and E: seed {seed}, the first of {n}"
    return f"A: {kind}, likelihood by importance sampling; B: means over images; {whose}"


def draw_curves(ax, runs: list[RunDirectory]) -> list[Row]:
    """Nats an image against wake presentations, from the first evaluation after the start on."""
    table = []
    for measure, (name, colour) in CURVES.items():
        curve = learning_curve(runs, measure, "wake_presentations")
        x, *lines = (curve[key][curve["over"] > 0] for key in ("over", "mean", "low", "high"))
        is_level = measure == "independent_pixels_nats"
        ax.plot(x, lines[0], color=colour, linestyle="--" if is_level else "-", linewidth=1.5 if is_level else 3)
        if not is_level:
            ax.fill_between(x, *lines[1:], color=colour, alpha=0.2, linewidth=0)
        table += [point("nats", name, *values) for values in zip(x, *lines, strict=True)]
        at = (0.98, lines[0][-1]) if is_level else (0.03, {"free_energy_nats": 0.17}.get(measure, 0.06))
        where = ax.get_yaxis_transform() if is_level else ax.transAxes
        ax.text(
            *at, name, color=colour, weight="bold", transform=where, ha="right" if is_level else "left", va="bottom"
        )
    ax.set(title="Below independent pixels", xscale="log", xlabel="wake presentations", ylabel="nats an image")
    ax.set_xlim(x[0], x[-1])
    return table


def draw_bits(ax, dreamed) -> list[Row]:
    """Bits to the nearest training image, of each kind of image."""
    table = []
    for place, (name, (title, colour)) in enumerate(reversed(IMAGES.items())):
        means = [float(arrays[f"{name}_to_training_bits"].values.mean()) for arrays in dreamed]
        mean, low, high = mean_and_interval(means, least=0)
        # images are the same for every seed
        has_interval = len(means) > 1 and high - low > 1e-9
        ax.barh(place, mean, color=colour, xerr=[[mean - low], [high - mean]] if has_interval else None, capsize=4)
        ax.text((high if has_interval else mean) + 0.1, place, f"{mean:.1f}", va="center")
        table.append(point("bits to the nearest training image", title.lower(), place, mean, low, high))
    ax.set(title="To the nearest training image", xlabel="bits")
    ax.set_xlim(0, 1.12 * ax.get_xlim()[1])
    ax.set_yticks(range(len(IMAGES)), [title.replace(" ", "\n") for title, _ in reversed(IMAGES.values())])
    return table


def draw_images(ax, images: np.ndarray, title: str, colour: str) -> None:
    """Rows of square images of bits, on in the colour of their kind.

    Raises
    ------
    RunError
        If images are not square.
    """
    side = isqrt(images.shape[1])
    if side * side != images.shape[1]:
        raise RunError(
            f"{PROTOCOL}: must be given runs of square images (got {images.shape[1]} pixels); draw those with a figure "
            "of your own."
        )
    colours = matplotlib.colors.ListedColormap(["#F2F2F2", "#222222"])
    for at, image in enumerate(images):
        row, column = divmod(at, N_COLUMNS)
        place = (column + 0.05, column + 0.95, row + 0.95, row + 0.05)
        ax.imshow(image.reshape(side, side), cmap=colours, vmin=0, vmax=1, extent=place)
    ax.set(xlim=(0, N_COLUMNS), ylim=(N_ROWS, 0), xticks=[], yticks=[], aspect="equal", anchor="N")
    ax.set_title(title, color="#222222" if colour == "#B0B0B0" else colour, fontsize=15)
    ax.spines[:].set_visible(False)


def point(panel: str, curve: str, x, y, low="", high="") -> Row:
    """One plotted point."""
    return {"panel": panel, "curve": curve, "x": x, "y": float(y), "low": low, "high": high}


def numbers(runs: list[RunDirectory], dreamed) -> list[Row]:
    """What the machine is worth at the end."""
    rows = [
        (f"{name}, nats an image", with_interval([run.measures()[measure].values[-1] for run in runs], ".2f"))
        for measure, (name, _) in CURVES.items()
    ]
    for name, (title, _) in IMAGES.items():
        bits = [float(arrays[f"{name}_to_training_bits"].values.mean()) for arrays in dreamed]
        rows.append((f"{title.lower()}: bits to the nearest training image", with_interval(bits, ".2f", least=0)))
    return [{"quantity": what, "simulated": seen, "paper": "", "source": SOURCE} for what, seen in rows]


FIGURE = Figure(PROTOCOL, "A Helmholtz machine learns to produce images", requests, draw)
