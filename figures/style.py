"""What all figures share: style, one colour a rule, letters of panels, and the line that says what is shown."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import fill
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

SHEET = Path(__file__).with_name("cortex.mplstyle")
#: Rule, as experiments call it -> its colour in every figure (Okabe & Ito 2008, P. Tol 2021, and what stands apart).
COLOURS = {
    "backpropagation": "#444444",
    "random feedback": "#D55E00",
    "reciprocal, bare": "#009E73",
    "reciprocal, bare, matched gain": "#E69F00",
    "reciprocal, damping 1": "#56B4E9",
    "reciprocal, damping 10": "#0072B2",
    "reciprocal, damping 30": "#1B2A73",
    "reciprocal feedback": "#0072B2",
    "exact pseudoinverse": "#CC79A7",
    "weight mirror": "#8C510A",
    "Kolen-Pollack": "#7A4FA3",
    "direct feedback": "#8FA31E",
    "Hinton-McClelland": "#999933",
    "predictive coding, V follows W": "#117733",
    "predictive coding, V hebbian": "#44AA99",
    "predictive coding, sleep, damping 10": "#882255",
    "predictive coding, sleep, bare": "#AA4499",
    "target propagation": "#CC6677",
    "untrained": "#B0B0B0",
}
#: Colours of lines that are no rules, in their order.
OTHERS = ("#8C510A", "#7A4FA3", "#8FA31E", "#CC79A7", "#E69F00", "#1B2A73")
#: Of letters of panels, and of the line below; a point is 1/72 inch.
LETTER_POINTS, STATEMENT_POINTS = 22, 11.5
#: Inches up to which the line below has its size; in wider figures, which are shown smaller, it grows.
USUAL = 13.33
#: Letters of that line that an inch holds, and its colour.
AN_INCH, GREY = 12.2, "#555555"
LETTER = "letter of a panel"
#: How a line ends that is the same with rates instead of spikes: it has the same colour, and is dashed.
OF_RATES = ", rates"


@contextmanager
def styled() -> Iterator[None]:
    """While this lasts, figures have the style of all."""
    with plt.style.context(SHEET):
        yield


@contextmanager
def literal() -> Iterator[None]:
    """While this lasts, texts are shown letter by letter: no formula is read in names of users."""
    with plt.rc_context({"text.parse_math": False}):
        yield


def colours_of(lines: Iterable[str]) -> dict[str, str]:
    """Line -> colour: that of its rule, else one that is left; a blank at the end of a name makes no difference."""
    lines = list(lines)
    names, left = dict.fromkeys(line.strip() for line in lines), OTHERS * 4
    known = {name: COLOURS.get(name.removesuffix(OF_RATES)) for name in names}
    free = iter([colour for colour in left if colour not in known.values()] or left)
    colours = {name: known[name] or next(free) for name in names}
    return {line: colours[line.strip()] for line in lines}


def dash_of(line: str) -> str:
    """How a line is drawn."""
    return "--" if line.endswith(OF_RATES) else "-"


def letter(panels: Iterable[Any]) -> None:
    """Write A, B, C ... beside the upper left corners of panels, outside the axes, on the line of their titles."""
    for at, ax in enumerate(panels):
        ax.annotate(
            chr(ord("A") + at), (0, 1), (-9, plt.rcParams["axes.titlepad"]), xycoords="axes fraction",
            textcoords="offset points", ha="right", va="baseline", size=LETTER_POINTS, weight="bold", gid=LETTER,
            annotation_clip=False,
        )  # fmt: skip


def letters_of(figure: Any) -> list[str]:
    """Letters of a figure's panels, as they were written."""
    return [text.get_text() for ax in figure.axes for text in ax.texts if text.get_gid() == LETTER]


def state(figure: Any, *sentences: str) -> None:
    """Write below a figure what it shows, and what it leaves out; no formula is read in it."""
    wide = max(1.0, figure.figure.get_figwidth() / USUAL)
    width = int(figure.figure.get_figwidth() * AN_INCH / wide)
    text = "\n".join(fill(f"{sentence.rstrip('.')}.", width) for sentence in sentences if sentence)
    look = {"fontsize": STATEMENT_POINTS * wide, "color": GREY, "ha": "left"}
    if figure.get_layout_engine() is None:
        written = figure.text(0.008, 0.008, text, va="bottom", **look)
    else:
        written = figure.supxlabel(text, x=0.008, **look)
    written.set_parse_math(False)
    written.set_gid("statement")


def statement_in(figure: Any) -> str:
    """What stands below a figure."""
    return " ".join(text.get_text() for text in figure.findobj(matplotlib.text.Text) if text.get_gid() == "statement")
