"""What was chosen: every parameter with its default, unit and meaning, those that differ between runs first."""

from typing import Any

from cortex_model.parameters.data import DataParameters
from cortex_model.reports.settings import Chapter
from cortex_model.reports.words import value_text
from cortex_model.runs.protocol import load_protocol

#: What is said of parameters whose meaning stands in code that is not run here.
OF_OWN_RULE = "of the learning rule of the user's own"
OF_OWN_PROTOCOL = "of the protocol of the user's own"
#: Settings that have a column each in the table of what differs; of more, the values are listed.
MOST_COLUMNS = 8


def parameter_table(chapter: Chapter) -> dict[str, Any]:
    """Rows for the table of parameters.

    Parameters
    ----------
    chapter : Chapter

    Returns
    -------
    table : dict
        ``columns``: headings of values that differ. ``differing`` and ``alike``: rows with ``name``, ``values`` (one a
        setting, or those of all), ``marked`` (whether each is another than the default), ``default``, ``unit``,
        ``meaning``; ``n_marked`` of the latter; ``note``: a sentence about what is not known.
    """
    known, defaults, note = _known(chapter)
    names = dict.fromkeys(name for run in chapter.runs for name in run.row.parameters)
    rows = {}
    for name in names:
        its = [run.row.parameters[name] for run in chapter.runs if name in run.row.parameters]
        shown = [setting.values[name] for setting in chapter.settings] if name in chapter.differing else [
            value_text(its[0])]  # fmt: skip
        shown = shown if len(shown) <= MOST_COLUMNS else [" | ".join(dict.fromkeys(shown))]
        default = value_text(defaults[name]) if name in defaults else None
        rows[name] = {
            "name": name,
            "values": shown,
            "marked": [default is not None and value != default for value in shown],
            "default": "unknown" if default is None else default or "nothing",
            "unit": _unit(known.get(name, {}).get("unit", "")),
            "meaning": known.get(name, {}).get("meaning", OF_OWN_RULE if chapter.is_shipped else OF_OWN_PROTOCOL),
        }
    alike = [rows[name] for name in names if name not in chapter.differing]
    letters = [setting.letter for setting in chapter.settings]
    return {
        "columns": letters if len(letters) <= MOST_COLUMNS else [f"values in {len(letters)} settings"],
        "differing": [rows[name] for name in names if name in chapter.differing],
        "alike": alike,
        "n_marked": sum(any(row["marked"]) for row in alike),
        "note": note,
    }


def _known(chapter):
    """Name -> what the package says of a parameter; name -> default; and what is not known."""
    if chapter.is_shipped:
        model = load_protocol(chapter.protocol).parameters
        return {row["name"]: row for row in model.table()}, model().model_dump(mode="json"), ""
    generic = {row["name"]: row for row in DataParameters.table()}
    note = (
        "The protocol is the user's own, and its code is not run to read it: its defaults are unknown here, and units "
        "and meanings are those of the package's parameters of the same name."
    )
    return generic, {}, note


def _unit(unit):
    return "" if unit == "1" else unit
