"""Hierarchies that learned CIFAR-10 by each rule, compared with a recording: the runs, and what they say of rules."""

from collections.abc import Iterable
from itertools import combinations
from typing import Any

from cortex_model.analysis.rule_contrasts import Estimate, scores_of_rows, scores_to_subtract
from cortex_model.errors import RunError
from cortex_model.experiments.reproduce import RunRequest
from cortex_model.experiments.settings import OWN_RATES, RULES, setting
from cortex_model.rules import rule_named
from cortex_model.rules.own import short
from cortex_model.runs.directory import RunDirectory

DATASET, EPOCHS = "cifar10", 3
UNTRAINED = "untrained"


def requests_by_rule(protocol: str, n_seeds: int) -> list[RunRequest]:
    """Every rule at its own validated learning rate with every seed; three epochs of CIFAR-10."""
    settings = [setting(DATASET, line, epochs=EPOCHS, learning_rate=OWN_RATES[DATASET][line]) for line in RULES]
    return [RunRequest(protocol, given, seed) for given in settings for seed in range(n_seeds)]


def runs_by_rule(directories: Iterable[RunDirectory]) -> dict[str, list[RunDirectory]]:
    """Line of `RULES` -> its runs, by seed; other dampings have lines of their own.

    Raises
    ------
    RunError
        If two runs differ in more than the rule, its damping, learning rate and sleep.
    """
    found: dict[str, dict[int, RunDirectory]] = {}
    for directory in directories:
        given = directory.description()
        its_line = found.setdefault(line_of(given["parameters"]), {})
        other = its_line.setdefault(given["seed"], directory)
        if other.description()["parameters"] != given["parameters"]:
            raise RunError(
                f"{directory.path.name}: must be the only run of its rule with seed {given['seed']} "
                f"(got {other.path.name} too); leave one out."
            )
    order = [*RULES, *sorted(set(found) - set(RULES))]
    return {line: [found[line][seed] for seed in sorted(found[line])] for line in order if line in found}


def line_of(parameters: dict[str, Any]) -> str:
    """The line of `RULES` that parameters belong to, or a name of their own."""
    for line, its in RULES.items():
        if all(parameters[name] == value for name, value in its.items()):
            return line
    name = parameters["learning_rule"]
    damping = f", damping {parameters['damping']:g}" if "damping" in rule_named(name).numbers else ""
    return short(name).replace("_", " ") + damping


def n_populations(measures: Any, prefix: str) -> int:
    """Populations above the input."""
    return int((measures[f"{prefix}_row_kind"].values == "population").sum())


def layers(runs: dict[str, list[RunDirectory]], prefix: str) -> dict[str, list[Estimate]]:
    """Line -> an estimate for each population, 1 ... L; the untrained hierarchies, which rules share, as a line.

    Parameters
    ----------
    runs : dict
        As from `runs_by_rule`.
    prefix : str
        Of the recording's arrays in the measures.
    """
    measured = {line: [run.measures() for run in its] for line, its in runs.items()}
    first = next(iter(measured.values()))
    levels = range(1, n_populations(first[0], prefix) + 1)
    found = {
        line: [scores_of_rows(its, prefix, [f"population {k}"]).estimate() for k in levels]
        for line, its in measured.items()
    }
    found[UNTRAINED] = [scores_of_rows(first, prefix, [f"untrained, population {k}"]).estimate() for k in levels]
    return found


def contrasts(
    runs: dict[str, list[RunDirectory]], prefix: str, level: int | None = None
) -> dict[tuple[str, str], Estimate]:
    """(one, other) -> how much nearer one is than the other, averaged over populations 1 ... L, or of one of them.

    Every rule against the untrained hierarchies, and every pair of rules; seeds that both have. Of responses, the
    median over units of the difference of each unit.
    """
    measured = {line: {run.description()["seed"]: run.measures() for run in its} for line, its in runs.items()}
    first = next(iter(next(iter(measured.values())).values()))
    levels = range(1, n_populations(first, prefix) + 1) if level is None else [level]
    trained, untrained = ([f"{word}population {k}" for k in levels] for word in ("", "untrained, "))
    found = {}
    for line, its in measured.items():
        values = list(its.values())
        one, other = scores_to_subtract(values, prefix, trained), scores_to_subtract(values, prefix, untrained)
        found[line, UNTRAINED] = one.minus(other).estimate()
    for other, one in combinations(measured, 2):
        seeds = sorted(set(measured[one]) & set(measured[other]))
        if not seeds:
            raise RunError(f"{one}: must have a seed in common with {other} (got none); make the missing runs.")
        scores = [
            scores_to_subtract([measured[line][seed] for seed in seeds], prefix, trained) for line in (one, other)
        ]
        found[one, other] = scores[0].minus(scores[1]).estimate()
    return found


def row_estimate(runs: dict[str, list[RunDirectory]], prefix: str, name: str) -> Estimate:
    """One row that does not depend on the rule, such as a baseline, from the runs of the first rule."""
    return scores_of_rows([run.measures() for run in next(iter(runs.values()))], prefix, [name]).estimate()
