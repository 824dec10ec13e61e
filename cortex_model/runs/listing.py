"""The runs of a folder side by side: what they are, what differs between them, and one of them in full."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cortex_model.errors import CortexModelError, ParameterError, in_short
from cortex_model.parameters.offered import advice
from cortex_model.runs.directory import RunDirectory, find_runs
from cortex_model.runs.protocol import load_protocol, protocol_names
from cortex_model.runs.provenance import made_by_other_sources
from cortex_model.system.sources import without_folder

#: What a row says besides parameters, in its order.
FACTS = ("run", "state", "started", "protocol", "seed", "device")
#: Numbers of a summary that say how well it went: the first that there is.
RESULTS = ("final_test_error_percent", "final_unexplained_percent", "unexplained_percent")
#: Whole numbers beyond this are no floats.
LARGEST_SHOWN = 1e300


@dataclass(frozen=True)
class Listed:
    """One run of a folder.

    Attributes
    ----------
    directory : RunDirectory
    facts : dict of str to str
        By `FACTS`.
    parameters : dict
        As given, files of a user's own without their folders.
    summary : dict
        Empty until the run has finished.
    """

    directory: RunDirectory
    facts: dict[str, str]
    parameters: dict[str, Any]
    summary: dict[str, Any] = field(default_factory=dict)

    @property
    def result(self) -> str:
        """How well it went, with the name of the number."""
        for name in RESULTS:
            if name in self.summary:
                value = self.summary[name]
                value = value[-1] if isinstance(value, list) and value else value
                is_number = isinstance(value, int | float) and abs(value) < LARGEST_SHOWN
                shown = f"{value:g}" if is_number else in_short(value)
                return f"{shown} {name.removeprefix('final_').replace('_percent', ' %').replace('_', ' ')}"
        return ""

    def value(self, name: str) -> Any:
        """A fact, a parameter or a number of the summary, by name; None where it has none."""
        for part in (self.facts, self.parameters, self.summary):
            if name in part:
                return part[name]
        return None


def listed(folder: Path) -> tuple[list[Listed], list[CortexModelError]]:
    """The runs in and below a folder, by name, and what is wrong with those that cannot be read.

    Raises
    ------
    RunError
        If there is no such folder.
    """
    rows, damaged = [], []
    for directory in find_runs(folder):
        try:
            rows.append(listing(directory, directory.path.relative_to(folder).as_posix()))
        except CortexModelError as error:
            damaged.append(error)
    return rows, damaged


def listing(directory: RunDirectory, name: str = "") -> Listed:
    """One run as a row."""
    directory.check()
    given, started = directory.description(), str(directory.provenance().get("started", ""))
    facts = {"run": name or directory.path.name, "state": directory.state, "started": started[:16].replace("T", " ")}
    facts |= {fact: str(given[fact]) for fact in ("protocol", "seed", "device")}
    parameters = {each: without_folder(value) for each, value in given["parameters"].items()}
    return Listed(directory, facts, parameters, directory.summary() if directory.has_finished else {})


def differing(rows: list[Listed]) -> list[str]:
    """Names of the parameters that are not the same in all runs of one protocol; seeds and devices are facts."""
    found: dict[str, None] = {}
    for protocol in {row.facts["protocol"] for row in rows}:
        alike = [row.parameters for row in rows if row.facts["protocol"] == protocol]
        names = dict.fromkeys(name for its in alike for name in its)
        found |= dict.fromkeys(name for name in names if len({repr(its.get(name)) for its in alike}) > 1)
    return list(found)


def selected(rows: list[Listed], where: dict[str, str], sort: str) -> list[Listed]:
    """Those runs whose values are as asked for, in the order of one of them.

    Parameters
    ----------
    rows : list of Listed
    where : dict
        Name of a fact, a parameter or a number of the summary -> its value, as a text.
    sort : str
        Such a name; numbers are sorted by size. Nothing: as they come.

    Raises
    ------
    ParameterError
        For a name that no run has.
    """
    known = {name for row in rows for part in (row.facts, row.parameters, row.summary) for name in part}
    for option, name in [*(("--where", name) for name in where), *([("--sort", sort)] if sort else [])]:
        if rows and name not in known:
            raise ParameterError(
                f"{option}: must name what a run has (got {in_short(name)}); "
                f"{advice(name, known, option) or 'see show RUN_DIR for the names.'}"
            )
    found = [row for row in rows if all(_is(row.value(name), text) for name, text in where.items())]
    return sorted(found, key=lambda row: _order(row.value(sort))) if sort else found


def _is(value, text):
    if isinstance(value, list):
        value = ",".join(map(str, value))
    try:
        return str(value).lower() == text.lower() or float(value) == float(text)
    except (TypeError, ValueError, OverflowError):
        return False


def _order(value):
    value = value[-1] if isinstance(value, list) and value else value
    try:
        return (0, float(value), "")
    except (TypeError, ValueError, OverflowError):
        return (1, 0.0, in_short(value))


def differences(one: RunDirectory, other: RunDirectory) -> list[dict[str, str]]:
    """What differs between two runs: facts, parameters, sources and results, a row each."""
    pair = [listing(each) for each in (one, other)]
    names = dict.fromkeys(name for row in pair for part in (row.facts, row.parameters) for name in part)
    rows = [(name, *(row.value(name) for row in pair)) for name in names if name != "run"]
    origins = [each.provenance() for each in (one, other)]
    for name in ("sources_sha256", "git_commit", "processor"):
        rows.append((name, *(str(origin.get(name, "unknown"))[:12] for origin in origins)))
    for name in dict.fromkeys(name for row in pair for name in row.summary):
        if name not in ("run_dir", "device", "seed", *names):
            rows.append((name, *(row.summary.get(name) for row in pair)))
    return [{"": name, "one": _short(a), "other": _short(b)} for name, a, b in rows if a != b]


def _short(value):
    if isinstance(value, list) and len(value) > 4:
        return f"{len(value)} values, last {value[-1]}"
    return "-" if value is None else ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def shown(directory: RunDirectory) -> dict[str, Any]:
    """One run in full: what it asks, what was chosen otherwise than by default, where it comes from, what came out.

    No file of the run directory is executed.
    """
    row, origin = listing(directory), directory.provenance()
    question, defaults = "that of a protocol of your own", {}
    if row.facts["protocol"] in protocol_names() and not directory.description().get("protocol_files"):
        loaded = load_protocol(row.facts["protocol"])
        question, defaults = loaded.question, loaded.parameters().model_dump(mode="json")
    chosen = {name: value for name, value in row.parameters.items() if defaults.get(name) != value}
    versions = origin.get("versions")
    versions = versions if isinstance(versions, dict) else {}
    result = {"question": question, "run_dir": str(directory.path)} | {n: row.facts[n] for n in FACTS if n != "run"}
    result |= {"result": row.result} if row.result else {}
    result["chosen"] = [f"{name}={_short(value)}" for name, value in chosen.items()] or ["all by default"]
    result["made_with"] = [
        f"{name} {versions[name]}" for name in ("cortex-model", "brian2", "python") if name in versions
    ]
    result |= {name: origin[name] for name in ("finished", "git_commit", "started_from") if origin.get(name)}
    result |= made_by_other_sources(directory) if directory.has_finished else {}
    result |= {"warnings": row.summary["warnings"]} if row.summary.get("warnings") else {}
    result["files"] = sorted(path.name for path in directory.path.iterdir() if not path.name.startswith("."))
    command = f"cortex-model resume {directory.path}"
    if directory.state == "refused":
        result["go_on"] = "not possible: its parameters or data do not fit (run.log says why); delete the folder"
    else:
        longer = "laps" if "laps" in directory.description()["parameters"] else "epochs"
        result["go_on"] = f"{command} --set {longer}=5" if directory.has_finished else command
    return result
