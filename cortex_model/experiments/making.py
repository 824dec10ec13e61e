"""Runs that figures need, and how they are made: handed out as those of a sweep are."""

import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cortex_model.errors import ParameterError, RunError
from cortex_model.parameters import Parameters
from cortex_model.rules import own
from cortex_model.runs.directory import RunDirectory
from cortex_model.runs.protocol import load_protocol, protocol_names
from cortex_model.schedule.declared import program_structure
from cortex_model.sweeps.cluster import handed_out

Report = Callable[[int, int, str], None]


@dataclass(frozen=True)
class RunRequest:
    """A run that a figure needs.

    Attributes
    ----------
    protocol : str
    overrides : dict
        Parameters that differ from the protocol's defaults.
    seed : int
    """

    protocol: str
    overrides: dict[str, Any]
    seed: int

    def parameters(self) -> Parameters:
        """All parameters of the run."""
        return load_protocol(self.protocol).parameters().with_overrides(self.overrides)

    def name(self, device: str) -> str:
        """Name of its run directory."""
        return load_protocol(self.protocol).run_name(self.parameters(), self.seed, device)

    def job(self, device: str, runs: Path) -> dict[str, Any]:
        """What a worker is told (`cortex_model.sweeps.child.carry_out`)."""
        given = self.parameters().model_dump(mode="json")
        what = {"protocol": self.protocol, "device": device, "parent": str(runs.resolve())}
        return what | {"runs": [(given, self.seed)], "names": [self.name(device)]}


def setting_of(directory: RunDirectory) -> str:
    """The hash of a run's parameters; nothing for a learning rule of a user's own, which no figure asks for."""
    given = directory.description()
    if given["protocol"] not in protocol_names() or own.is_own(given["parameters"].get("learning_rule", "")):
        return ""
    return RunRequest(given["protocol"], given["parameters"], 0).parameters().content_hash


def make_runs(requests: list[RunRequest], runs: Path, device: str, report: Report = lambda *_: None) -> None:
    """Make the runs that are not there, handed out as those of a sweep are: one process each, on all cores.

    Raises
    ------
    RunError
        If a run fails; the others are ended, finished ones are kept.
    """
    wanted = {request.name(device): request for request in requests}
    missing = programs_first(
        [request for name, request in wanted.items() if not RunDirectory(runs / name).has_finished]
    )
    if missing:
        with closing(handed_out([request.job(device, runs) for request in missing], None, None)) as news:
            _attend(news, missing, report)
    report(len(missing), len(missing), "drawing")


def _attend(news, missing, report):
    """Tell what is going on until all have finished, or one has failed."""
    running: set[int] = set()
    n_done = 0
    report(0, len(missing), "preparing")
    for at, failures in news:
        (running.add if failures is None else running.discard)(at)
        if failures is not None:
            n_done += 1
            if failures[0]:
                request = missing[at]
                raise RunError(f"{request.protocol}, seed {request.seed}: must finish (got: {failures[0]})")
        report(n_done, len(missing), ", ".join(sorted({missing[each].protocol for each in running})))


def programs_first(requests: list[RunRequest]) -> list[RunRequest]:
    """The requests in an order in which different programs are compiled at once, the largest first.

    One request of each distinct program comes first; the others, which only run, follow as they were.
    """
    first = {}
    for request in requests:
        first.setdefault(json.dumps(program_structure(request.parameters())), request)
    leading = sorted(first.values(), key=lambda request: -request.parameters().n_layers)
    return leading + [request for request in requests if not any(request is other for other in leading)]


def none_to_make(figure: str, draws: str) -> Callable[[str, int], list[RunRequest]]:
    """What a figure of runs of one's own has in the place of its requests: it raises, and says how it is drawn.

    Parameters
    ----------
    figure : str
        Its name.
    draws : str
        Which runs it draws.
    """

    def requests(dataset: str, n_seeds: int) -> list[RunRequest]:
        raise ParameterError(
            f"FIGURE: must be a figure whose runs are known (got {figure!r}, which draws {draws}); draw runs of your "
            f"own with `cortex-model figure {figure} RUN_DIRS`."
        )

    return requests
