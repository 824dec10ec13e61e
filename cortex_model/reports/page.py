"""One HTML page about runs: read, grouped, drawn, and written so that it needs nothing but itself."""

import base64
import os
import stat
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from cortex_model import __version__
from cortex_model.analysis.learning_curves import meaning_of_bands
from cortex_model.errors import RunError, in_short
from cortex_model.reports import classes, curves, matrices, origins, parameters
from cortex_model.reports.reading import read_runs
from cortex_model.reports.settings import Chapter, chapters_of, final, interval_text
from cortex_model.reports.words import measure_words, number, printable, protocol_page
from cortex_model.runs.directory import RunDirectory
from cortex_model.system.sources import load_module, package_folder
from cortex_model.system.storage import write_whole

#: Kind of a picture -> what a data URI calls it.
KINDS = {"svg": "image/svg+xml", "png": "image/png"}
ENDINGS = (".html", ".htm")
Report = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Picture:
    """A picture on the page.

    Attributes
    ----------
    uri : str
        ``data:`` and all of its content.
    said : str
        What it shows, for those who do not see it.
    caption : str
    inches : float
        How wide it is made; a page shows it no wider.
    """

    uri: str
    said: str
    caption: str = ""
    inches: float = 6.4


def write_report(
    runs: Iterable[str | Path | RunDirectory], out: str | Path, report: Report = lambda *_: None
) -> tuple[Path, list[str]]:
    """Write a page about runs.

    Parameters
    ----------
    runs : iterable of path or RunDirectory
        Run directories, or folders that hold some; finished or not.
    out : path
        The file; its folder is made if it is not there.
    report : callable, optional
        (steps done, steps in all, what is going on) -> None; draws the progress bar.

    Returns
    -------
    out : Path
    sentences : list of str
        What was left out of the page, or could not be taken as it was.

    Raises
    ------
    RunError
        If nothing can be read, or the page cannot be written.
    """
    out = checked_file(out)
    found, sentences = read_runs(runs)
    chapters = chapters_of(found)
    told, steps = [], 5 * len(chapters)
    for at, chapter in enumerate(chapters):

        def step(n, text, at=at):
            report(5 * at + n, steps, text)

        told.append(chapter_context(chapter, step))
    text = environment().get_template("page.html").render(
        chapters=told, sentences=sentences, version=__version__, made=time.strftime("%Y-%m-%d %H:%M"),
        n_runs=len(found), protocols=", ".join(dict.fromkeys(chapter.protocol for chapter in chapters)),
    )  # fmt: skip
    _write(text, out)
    report(steps, steps, "written")
    return out, sentences


def checked_file(out: Any) -> Path:
    """The file of a page, looked at before anything is drawn for it.

    Raises
    ------
    RunError
        If it cannot be one.
    """
    path = Path(out) if isinstance(out, str | Path) else Path()
    got = "" if path.suffix.lower() in ENDINGS and "\0" not in str(path) else in_short(str(out))
    try:
        path = path.expanduser()
        nearest = next(folder for folder in path.absolute().parents if folder.exists())
        if not (nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)):
            got = got or f"{nearest}, which is no folder that can be written"
        got = got or ("" if stat.S_ISREG(path.stat().st_mode) else "something there that is no file")
    except FileNotFoundError:
        pass
    except (OSError, RuntimeError, ValueError) as error:
        got = got or getattr(error, "strerror", None) or str(error)
    if got:
        raise RunError(
            f"--out: must be a file that can be written, its name ending in .html (got {got}); write for example "
            "report.html."
        )
    return path


def _write(text, out):
    content = text.encode("utf-8", "replace")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_whole(out, lambda part: part.write_bytes(content))
    except OSError as error:
        raise RunError(
            f"--out: must be a file that can be written (got {out}: {error.strerror}); give another one with --out."
        ) from None


def environment() -> Environment:
    """What fills the template in: every text is escaped, and a name that is not there is an error."""
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, finalize=lambda value: value if isinstance(value, Markup) else printable(value),
    )  # fmt: skip
    made.filters["number"] = number
    return made


# ---------------------------------------------------------------------- what the template is given
def chapter_context(chapter: Chapter, step: Callable[[int, str], None]) -> dict[str, Any]:
    """Everything that the page says of the runs of one protocol.

    Parameters
    ----------
    chapter : Chapter
    step : callable
        (number of the step, what is going on) -> None.
    """
    drawing = load_module(package_folder("figures") / "report.py")
    step(0, "drawing curves")
    panels, angles = curves.learning_panels(chapter), curves.angle_panels(chapter)
    drawn = {name: [_drawn(drawing.curves(each), each.said) for each in its] for name, its in
             {"": panels, **angles}.items()}  # fmt: skip
    step(1, "drawing weights")
    weights: dict[str, list] = {}
    for each in matrices.weight_pictures(chapter):
        weights.setdefault(each.setting.letter, []).append(_of_weights(drawing, each))
    step(2, "presenting the test set")
    asked, left_out = classes.class_pictures(chapter, lambda text: step(2, text))
    step(3, "drawing classes")
    context = {
        "protocol": chapter.protocol,
        "chapter": chapter,
        "page": protocol_page(chapter.runs[0]),
        "results": _results(chapter),
        "result_words": _result_words(chapter),
        "parameters": parameters.parameter_table(chapter),
        "learning": drawn.pop(""),
        "angles": drawn,
        "no_means": curves.missing_means([*panels, *(each for its in angles.values() for each in its)]),
        "bands": meaning_of_bands(len(s.finished) for s in chapter.drawn) if chapter.drawn else "",
        "numbers": curves.final_numbers(chapter),
        "weights": [(its[0]["setting"], its) for its in weights.values()],
        "classes": [_of_classes(drawing, each) for each in asked],
        "classes_left_out": left_out,
        "cost": origins.cost_table(chapter),
        "counted": list(origins.COUNTED.values()),
        "provenance": origins.provenance_table(chapter),
        "warnings": [(run.name, warning) for run in chapter.runs for warning in _warnings(run)],
    }
    step(4, "writing")
    return context


def _drawn(drawn, said, caption=""):
    uri = f"data:{KINDS[drawn.kind]};base64,{base64.b64encode(drawn.content).decode()}"
    return Picture(uri, said, caption, drawn.inches)


def _of_weights(drawing, picture):
    said = f"{picture.said}."
    drawn = _drawn(drawing.weights(picture), f"Weights in colours. {said}", said)
    return {"setting": picture.setting, "seed": picture.seed, "picture": drawn}


def _of_classes(drawing, picture):
    """Pictures and sentences about what one setting takes for what."""
    wrong = [(n, row, column) for (row, column), n in _cells(picture.counts) if row != column and n]
    most = sorted(wrong, key=lambda each: -each[0])[:5]
    said = ", ".join(f"{picture.names[row]} taken for {picture.names[column]} ({n:,} times)" for n, row, column in most)
    errors = interval_text(picture.errors)
    setting, images = picture.setting, [each for each in picture.failures if each.image is not None]
    caption = (
        f"{len(images)} test images that fail, shown → answered: those that most seeds answer wrongly and, among them, "
        "those answered most decidedly. Values as stored: light is high."
    )
    examples = ", ".join(f"{each.right} taken for {each.answered}" for each in images)
    return {
        "letter": setting.letter,
        "label": setting.label,
        "confusion": _drawn(drawing.confusion(picture), f"Matrix of confusions; most often: {said or 'none'}."),
        "failures": _drawn(drawing.failures(picture), f"Images answered wrongly: {examples}.", caption)
        if images
        else None,
        "fields": _fields(drawing, picture),
        "rows": [] if images else [(each.index, each.right, each.answered, each.n_wrong) for each in picture.failures],
        "n_seeds": picture.n_seeds,
        "n_stimuli": picture.n_stimuli,
        "errors": errors,
        "most": said,
        "notes": picture.notes,
    }


def _fields(drawing, picture):
    if picture.fields is None:
        return None
    n, most = len(picture.fields), np.abs(picture.fields).max()
    caption = (
        f"W₁ as images: what each of the first {n} neurons of population 1 weighs, seed {picture.first_seed}. Red is "
        f"above 0, blue below it, white 0; full colour is {most:.2g}."
    )
    return _drawn(drawing.fields(picture), caption, caption)


def _cells(counts):
    return (((row, column), int(counts[row, column])) for row in range(len(counts)) for column in range(len(counts)))


def _results(chapter):
    """A row for each run: setting, seed, state, and the number that says how well it went."""
    rows = []
    for setting in chapter.settings:
        for run in setting.runs:
            name = setting.result.get("name", "")
            value = final(run.row.summary.get(f"final_{name}", run.row.summary.get(name))) if name else None
            rows.append({"letter": setting.letter, "run": run, "result": number(value)})
    return rows


def _result_words(chapter):
    """What the results are, if the same in all settings that have one."""
    names = {setting.result["name"] for setting in chapter.settings if setting.result}
    return measure_words(names.pop(), "percent") if len(names) == 1 else ""


def _warnings(run):
    given = run.row.summary.get("warnings")
    return [str(each) for each in given] if isinstance(given, list) else []
