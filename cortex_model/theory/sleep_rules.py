"""One sleep presentation: noise in every population, all pairs of adjacent populations at once.

`SLEEP_RULES` holds the three rules; each takes one reciprocal pair from its old weights to its new ones.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from cortex_model.errors import ParameterError
from cortex_model.theory.rate_network import choice
from cortex_model.theory.recirculation import feedback_update, forward_update, recirculation_cycle


class Moments(NamedTuple):
    """How noise gets around a reciprocal pair: what each moment of a sleep rule sees. Settled here; `leaky` has others.

    Attributes
    ----------
    ascending, descending : callable
        (W, V, noise) -> (up, rec), or (down, back).
    ascending_again : callable
        (W, y, up, noise) -> W y, after up = W noise has been seen.
    descending_twice : callable
        (W, V, noise) -> (x, x') with x = V noise, x' = V W x.
    """

    ascending: Callable = lambda W, V, noise: recirculation_cycle(W, V, noise, "ascending")
    descending: Callable = lambda W, V, noise: recirculation_cycle(W, V, noise, "descending")
    ascending_again: Callable = lambda W, y, up, noise: W @ y
    descending_twice: Callable = lambda W, V, noise: (V @ noise, V @ (W @ (V @ noise)))


SETTLED = Moments()


class _Settings(NamedTuple):
    sleep_learning_rate: float
    forward_sleep_learning_rate: float
    damping: float
    gain: float
    sleep_normalisation: bool
    regression: float
    reconstructs: bool
    moments: Moments


def _changed(weights, rate, update, presynaptic, sleep_normalisation):
    """Return weights + rate * update, divided by |presynaptic|^2 if so asked; no activity, no change."""
    if not sleep_normalisation:
        return weights + rate * update
    norm = presynaptic @ presynaptic
    return weights + rate * update / norm if norm > 0 else weights


def _recirculation(W, V, ascending, descending, settings):
    up, rec = settings.moments.ascending(W, V, ascending)
    update = feedback_update(ascending, up, settings.reconstructs * rec, V, settings.damping, settings.gain)
    V = _changed(V, settings.sleep_learning_rate, update, up, settings.sleep_normalisation)
    if settings.forward_sleep_learning_rate > 0:
        down, back = settings.moments.descending(W, V, descending)
        update = forward_update(descending, down, back, W, settings.damping, settings.gain)
        W = _changed(W, settings.forward_sleep_learning_rate, update, down, settings.sleep_normalisation)
    return W, V


def _hinton_mcclelland(W, V, ascending, _, settings):
    r = settings.regression
    h1, rec = settings.moments.ascending(W, V, ascending)
    y2 = r * ascending + (1 - r) * rec
    h3 = r * h1 + (1 - r) * settings.moments.ascending_again(W, y2, h1, ascending)
    update = feedback_update(ascending, h1, y2, V, settings.damping)
    V = _changed(V, settings.sleep_learning_rate, update, h1, settings.sleep_normalisation)
    if settings.forward_sleep_learning_rate > 0:
        update = forward_update(h1, y2, h3, W, settings.damping)
        W = _changed(W, settings.forward_sleep_learning_rate, update, y2, settings.sleep_normalisation)
    return W, V


def _ben_israel(W, V, _, descending, settings):
    x, again = settings.moments.descending_twice(W, V, descending)
    update = feedback_update(x, descending, again, V, settings.damping)
    return W, _changed(V, settings.sleep_learning_rate, update, descending, settings.sleep_normalisation)


SLEEP_RULES = {
    "recirculation": _recirculation,
    "hinton_mcclelland": _hinton_mcclelland,
    "ben_israel": _ben_israel,
}


def sleep_presentation(
    forward: Mapping[int, np.ndarray],
    feedback: Mapping[int, np.ndarray],
    ascending_noise: Mapping[int, np.ndarray] | None,
    descending_noise: Mapping[int, np.ndarray] | None = None,
    *,
    sleep_learning_rate: float,
    forward_sleep_learning_rate: float = 0.0,
    damping: float = 0.0,
    gain: float = 1.0,
    sleep_rule: str = "recirculation",
    sleep_normalisation: bool = False,
    regression: float = 0.75,
    reconstructs: bool = True,
    moments: Moments = SETTLED,
) -> tuple[dict[int, np.ndarray], dict[int, np.ndarray]]:
    """Present noise once in sleep and return the new weights of every reciprocal pair.

    With xi the noise, g the gain, d the damping, eta and eta_f the (forward) sleep learning rate:

        recirculation      up = W xi_{l-1}, rec = V up;  V += eta [(g xi_{l-1} - rec) up^T - d V] / |up|^2;
                           then, if eta_f > 0, with the new V,
                           down = V xi_l, back = W down;  W += eta_f [(g xi_l - back) down^T - d W] / |down|^2
        hinton_mcclelland  up = W xi_{l-1}, y = r xi_{l-1} + (1 - r) V up, h = r up + (1 - r) W y;
                           V += eta [(xi_{l-1} - y) up^T - d V] / |up|^2;
                           if eta_f > 0, W += eta_f [(up - h) y^T - d W] / |y|^2
        ben_israel         x = V xi_l, x' = V W x;  V += eta [(x - x') xi_l^T - d V] / |xi_l|^2

    where W = W_l, V = V_l, r is the regression, and the division is made with `sleep_normalisation` only
    (no change where the divisor is zero).

    The paper shows one pair "trained concurrently"; here the two half cycles follow each other, because
    descending noise needs the apical drive before the basal one. `ben_israel` is the paper's X - X A X drawn
    from noise; it diverges from a random start. `hinton_mcclelland` is the 1988 rule without its nonlinearity:
    for V it is `recirculation` at (1 - r) eta, so undamped it learns the same.

    Parameters
    ----------
    forward, feedback : dict of ndarray
        W_l, shape (n_l, n_{l-1}), and V_l, shape (n_{l-1}, n_l). A pair without V_l is left as it is.
    ascending_noise : dict of ndarray or None
        xi_l for l = 0 ... L-1, shape (n_l,), mean zero, variance 1 (not used by `ben_israel`).
    descending_noise : dict of ndarray, optional
        xi_l for l = 1 ... L, shape (n_l,). Needed by `recirculation` if eta_f > 0, and by `ben_israel`.
    sleep_learning_rate, forward_sleep_learning_rate : float
        eta and eta_f; eta_f = 0 holds W.
    damping, gain : float
        d and g; only `recirculation` has a gain.
    sleep_rule : str
        A name in `SLEEP_RULES`.
    sleep_normalisation : bool
    regression : float
        r, for `hinton_mcclelland` only.
    reconstructs : bool
        False leaves rec out of `recirculation`: V is drawn to g W^T/d instead of the (damped) pseudoinverse (weight
        mirror, Akrout et al. 2019, NeurIPS 32).
    moments : Moments
        How noise gets around a pair; in time for `leaky_sleep_presentation`.

    Returns
    -------
    forward, feedback : dict of ndarray
        New dictionaries; the arrays passed in are not changed.

    Raises
    ------
    ParameterError
        If the rule has no such name, does not know the gain or a forward rate, or its noise is missing.
    """
    rule = choice(SLEEP_RULES, sleep_rule, "sleep_presentation.sleep_rule")
    if sleep_rule != "recirculation" and gain != 1:
        raise ParameterError(
            f"sleep_presentation.gain: must be 1 for {sleep_rule} (got {gain}); leave it out or choose recirculation."
        )
    if sleep_rule == "ben_israel" and forward_sleep_learning_rate > 0:
        raise ParameterError(
            "sleep_presentation.forward_sleep_learning_rate: must be 0 for ben_israel, which has no rule for W "
            f"(got {forward_sleep_learning_rate}); set it to 0 or choose recirculation."
        )
    needs_ascending = sleep_rule != "ben_israel"
    needs_descending = not needs_ascending or (sleep_rule == "recirculation" and forward_sleep_learning_rate > 0)
    ascending_noise = _fitting("ascending_noise", ascending_noise, [l - 1 for l in feedback], needs_ascending)
    descending_noise = _fitting("descending_noise", descending_noise, list(feedback), needs_descending)
    settings = _Settings(
        sleep_learning_rate, forward_sleep_learning_rate, damping, gain, sleep_normalisation, regression, reconstructs,
        moments,
    )  # fmt: skip
    new_forward, new_feedback = dict(forward), dict(feedback)
    for l in feedback:
        noises = ascending_noise.get(l - 1), descending_noise.get(l)
        new_forward[l], new_feedback[l] = rule(forward[l], feedback[l], *noises, settings)
    return new_forward, new_feedback


def _fitting(name, noise, populations, is_needed):
    """Return the noise, if it is needed checked to have a vector for each of the populations."""
    noise = {} if noise is None else noise
    missing = [l for l in populations if l not in noise]
    if is_needed and missing:
        raise ParameterError(
            f"sleep_presentation.{name}: must hold a vector for each population that this rule drives "
            f"(got none for {missing}); pass them."
        )
    return noise
