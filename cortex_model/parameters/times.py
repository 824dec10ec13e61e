"""How long things take: which parameters say so in which dynamics, and what of them does not go together."""

from typing import Any

import numpy as np

from cortex_model.parameters.kinds import LARGEST

#: Parameters that nothing depends on in the settled mode.
LEAKY = (
    "dynamics", "time_constant_ms", "presentation_ms", "feedback_onset_ms",
    "time_step_ms", "forward_delay_ms", "feedback_delay_ms",
)  # fmt: skip

#: Of these, the ones that mean something in spikes; and options that do not.
IN_SPIKES = ("dynamics", "presentation_ms", "feedback_onset_ms", "time_step_ms")
NOT_IN_SPIKES = ("nonlinearity", "top", "slope_rule", "presynaptic_normalisation", "sleep_normalisation",
                 "feedback_gain", "feedback_noise", "feedback_levels", "perturb_every_presentations")  # fmt: skip

#: What is on its way along an axon is kept step by step, in compiled equations.
MOST_STEPS_DELAYED = 100


def check_times(p: Any) -> None:
    """Refuse parameters of a hierarchy that takes time whose times do not go together.

    Raises
    ------
    ValueError
    """
    if p.dynamics == "spiking" and p.batch_size > 1:
        raise ValueError(
            f"batch_size must be 1 where dynamics is spiking (got {p.batch_size}), because synapses change at single "
            "spikes; set batch_size=1, or run several seeds side by side."
        )
    its = LEAKY if p.is_leaky else (*IN_SPIKES, "sleep_ms", "sleep_onset_ms")
    names = [name for name in its if name.endswith("_ms") and name not in ("time_step_ms", "time_constant_ms")]
    times = {name: np.atleast_1d(getattr(p, name)) for name in names if hasattr(p, name)}
    for name, time in ((name, time) for name, several in times.items() for time in several):
        steps = float(time) / p.time_step_ms
        if not steps <= LARGEST:
            raise ValueError(
                f"{name} must be at most {LARGEST} time steps where dynamics is {p.dynamics} (got {time:g} ms "
                f"with time_step_ms {p.time_step_ms:g}); change one of them."
            )
        if abs(steps - round(steps)) > 1e-6:
            raise ValueError(
                f"{name} must be a whole number of time steps where dynamics is {p.dynamics} (got {time:g} ms "
                f"with time_step_ms {p.time_step_ms:g}); change one of them."
            )
    if p.feedback_onset_ms >= p.presentation_ms:
        raise ValueError(
            f"feedback_onset_ms must be before the end of the presentation, at {p.presentation_ms:g} ms "
            f"(got {p.feedback_onset_ms:g} ms); lower it, or raise presentation_ms."
        )
    if p.is_leaky:
        _check_delays(p)


def _check_delays(p):
    for name, levels in (("forward", range(1, p.n_layers + 1)), ("feedback", p.feedback_layers)):
        delays = getattr(p, f"{name}_delay_ms")
        if len(delays) not in (1, len(levels)):
            raise ValueError(
                f"{name}_delay_ms must be one number, or one for each of the {len(levels)} {name} projections "
                f"(got {len(delays)}); give as many."
            )
        if max(delays) >= p.presentation_ms or max(delays) > MOST_STEPS_DELAYED * p.time_step_ms:
            raise ValueError(
                f"{name}_delay_ms must be shorter than presentation_ms and at most {MOST_STEPS_DELAYED} steps of "
                f"time_step_ms (got {max(delays):g} ms); shorten it."
            )
