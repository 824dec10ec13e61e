"""A run directory beside recordings: what ``cortex-model compare`` does."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from cortex_model.analysis.comparison import Comparison, compare, default_metric
from cortex_model.datasets import Recording
from cortex_model.errors import RunError
from cortex_model.runs.directory import RunDirectory
from cortex_model.runs.protocol import parameters_of
from cortex_model.system.sources import reading
from cortex_model.weights import Weights, initial_weights

Report = Callable[[int, int, str], None]


def compare_run(
    run_dir: Path,
    recording: Recording,
    metrics: list[str] | None = None,
    n_resamples: int | None = None,
    seed: int = 0,
    report: Report = lambda *_: None,
    run_code: bool = False,
) -> list[Comparison]:
    """Compare the hierarchy that a run ended with, one comparison a metric.

    Parameters
    ----------
    run_dir : Path
    recording : RDMRecording or ResponseRecording
    metrics : list of str, optional
        Spearman's rho for RDMs, ridge regression for responses unless given.
    n_resamples : int, optional
    seed : int
        Of everything random in the comparison.
    report : callable, optional
    run_code : bool
        Whether to run the Python files of a learning rule or a protocol of one's own that the run directory keeps.

    Returns
    -------
    list of Comparison

    Raises
    ------
    RunError
        If the run has not finished or did not learn from images.
    """
    directory = RunDirectory.opened(run_dir)
    if not directory.has_finished:
        raise RunError(
            f"{run_dir}: must be a finished run (got one that is {directory.state}); "
            f"finish it with `cortex-model resume {run_dir}`."
        )
    with reading(run_code):
        parameters: Any = parameters_of(directory, run_code)
    weights, start = directory.weights(), starting_weights(directory, parameters)
    return [
        compare(weights, start, parameters, recording, metric, n_resamples, seed, report)
        for metric in metrics or [default_metric(recording)]
    ]


def starting_weights(directory: RunDirectory, parameters: Any) -> Weights:
    """The weights with which a run began.

    Parameters
    ----------
    directory : RunDirectory
    parameters : SleepWakeParameters
        Of the run.
    """
    start = directory.start()
    if start is not None:
        return start
    return initial_weights(parameters, directory.description()["seed"])


def shown(comparison: Comparison) -> tuple[str, list[dict[str, str]]]:
    """A comparison as a sentence and the rows of a table."""
    ceiling = comparison.noise_ceiling
    bounds = "unknown" if ceiling is None else f"{ceiling[0]:.3f} to {ceiling[1]:.3f}"
    head = f"{comparison.recording}, {comparison.metric}; noise ceiling {bounds}"
    return head, [
        {
            "row": row.name,
            "kind": row.kind,
            "score": f"{row.score:.3f}",
            "95 % interval": f"{row.interval[0]:.3f} to {row.interval[1]:.3f}",
            **({} if comparison.reliability is None else {"uncorrected": f"{comparison.uncorrected(row):.3f}"}),
        }
        for row in comparison.rows
    ]
