"""Where runs come from, and what they cost: their provenance and their summaries, read without trust."""

from datetime import datetime
from typing import Any

import numpy as np

from cortex_model.analysis.cost import PHASES
from cortex_model.reports.reading import ReadRun
from cortex_model.reports.settings import Chapter, Setting, final
from cortex_model.reports.words import number, value_text
from cortex_model.runs.provenance import other_sources
from cortex_model.system.sources import without_folder

#: What is counted -> heading.
COUNTED = {
    "presentations": "presentations",
    "half_cycles": "half cycles",
    "synaptic_events": "synaptic events",
    "operations": "operations",
}


# ---------------------------------------------------------------------- provenance
def provenance_table(chapter: Chapter) -> dict[str, Any]:
    """Facts about where runs come from.

    Returns
    -------
    table : dict
        ``alike``: (name, text) of what is the same in all runs. ``differing``: names of the rest. ``rows``: of each run
        its name and those texts.
    """
    facts = [_facts(run) for run in chapter.runs]
    names = dict.fromkeys(name for its in facts for name in its)
    texts = {name: [its.get(name, "") for its in facts] for name in names}
    alike = {name: values[0] for name, values in texts.items() if len(set(values)) == 1}
    differing = [name for name in names if name not in alike]
    rows = [(run.name, [texts[name][at] for name in differing]) for at, run in enumerate(chapter.runs)]
    return {"alike": [(n, text) for n, text in alike.items() if text], "differing": differing, "rows": rows}


def _facts(run: ReadRun) -> dict[str, str]:
    """Fact -> text, of one run."""
    origin, its = run.origin, run.description
    facts = {"device": str(its["device"])}
    versions = origin.get("versions")
    if isinstance(versions, dict):
        facts["versions"] = ", ".join(f"{name} {version}" for name, version in versions.items())
    facts["sources"] = _hash(origin.get("sources_sha256"))
    facts["git commit"] = _hash(origin.get("git_commit"))
    for name, files in (("protocol's files", "protocol_files"), ("learning rule's files", "rule_files")):
        if isinstance(its.get(files), dict) and its[files]:
            facts[name] = ", ".join(f"{file} {_hash(sha256)}" for file, sha256 in its[files].items())
    facts["compiler"] = _compiler(origin.get("compiler"))
    facts |= {name: value_text(origin.get(name)) for name in ("processor", "system")}
    facts |= {"begun": _date(origin.get("started")), "finished": _date(origin.get("finished"))}
    facts |= {"resumed": _resumed(origin.get("resumed")), "started from": _chain(origin.get("started_from"))}
    facts["final weights"] = _hash(run.row.summary.get("weights_sha256"))
    facts["command"] = value_text(origin.get("command"))
    if origin:
        facts["made by"] = "other sources than today's" if other_sources(origin) else "the sources of this page"
    return facts


def _hash(digest):
    return str(digest)[:12] if digest else ""


def _compiler(compiler):
    if not isinstance(compiler, dict):
        return value_text(compiler)
    return " ".join([str(compiler.get("version", "")), value_text(compiler.get("flags", "")).replace(",", " ")]).strip()


def _date(text):
    return str(text)[:19].replace("T", " ") if text else ""


def _resumed(resumed):
    times = [_date(each.get("at")) for each in resumed if isinstance(each, dict)] if isinstance(resumed, list) else []
    return f"{len(times)} times: {', '.join(times)}" if len(times) > 1 else f"once: {times[0]}" if times else ""


def _chain(started_from):
    runs = started_from if isinstance(started_from, list) else []
    return value_text(" <- ".join(str(without_folder(run)) for run in runs))


# ---------------------------------------------------------------------- cost
def cost_table(chapter: Chapter) -> list[dict[str, Any]]:
    """What one run of each setting cost.

    Returns
    -------
    rows : list of dict
        ``setting``; ``phases``: (phase, texts by `COUNTED`), of those phases in which something was presented;
        ``seconds`` of the simulation loop, and ``wall``, seconds from its beginning to its end, each as a text: mean
        over seeds. Where summaries do not count by phase, the presentations at the last look stand for all phases.
    """
    rows = []
    for setting in chapter.settings:
        counted = [its for run in setting.finished if (its := _counts(run))]
        phases = [(phase, [_range(its[name][phase] for its in counted) for name in COUNTED]) for phase in PHASES
                  if any(its["presentations"][phase] for its in counted)]  # fmt: skip
        shown = [int(run.over[-1]) for run in setting.finished
                 if len(run.over) and np.isfinite(run.over[-1]) and run.over_what != "look"]  # fmt: skip
        if shown and not phases:
            phases = [("all", [_range(shown)] + [""] * (len(COUNTED) - 1))]
        if phases:
            rows.append({"setting": setting, "phases": phases, **_seconds(setting)})
    return rows


def _counts(run):
    """Counted -> phase -> number; empty where a summary does not say so."""
    found = {}
    for name in COUNTED:
        its = run.row.summary.get(name)
        its = its if isinstance(its, dict) else {}
        found[name] = {phase: its.get(phase) for phase in PHASES}
        if not all(isinstance(n, int) and not isinstance(n, bool) for n in found[name].values()):
            return {}
    return found


def _range(counts):
    low, *more = sorted(set(counts))
    return f"{number(low)} to {number(more[-1])}" if more else number(low)


def _seconds(setting: Setting) -> dict[str, str]:
    loop, wall = [], []
    for run in setting.finished:
        each, counts = final(run.row.summary.get("microseconds_per_presentation")), _counts(run)
        if each is not None and counts:
            loop.append(each * (final(sum(counts["presentations"].values())) or 0) / 1e6)
        if run.origin.get("started") and run.origin.get("finished") and not run.origin.get("resumed"):
            try:
                ends = [datetime.fromisoformat(str(run.origin[name])) for name in ("started", "finished")]
                wall.append((ends[1] - ends[0]).total_seconds())
            except (ValueError, TypeError):
                continue
    mean = [sum(its) / len(its) if its else None for its in (loop, wall)]
    return {"seconds": number(mean[0], ",.3g"), "wall": number(mean[1], ",.3g")}
