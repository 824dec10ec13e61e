r"""A Helmholtz machine: what it expects, what it recognises, and its free energy, exactly and by samples.

Binary units draw their states (Hinton, Dayan, Frey & Neal, Science 268, 1995; Dayan, Hinton, Neal & Zemel, Neural
Computation 7, 1995):

    recognition    q(h|x)   = prod_{l=1..L} B(h_l; s(W_l h_{l-1} + b_l)),    h_0 = x
    generation     p(x, h)  = B(h_L; s(c_L)) prod_{l=1..L} B(h_{l-1}; s(V_l h_l + c_{l-1}))
    free energy    F(x)     = sum_h q(h|x) [log q(h|x) - log p(x, h)] = - log p(x) + KL(q(h|x) | p(h|x))
    likelihood     p(x)     = sum_h p(x, h) = sum_h q(h|x) [p(x, h) / q(h|x)]

where B(h; p) = p^h (1 - p)^(1 - h) of each unit, multiplied over the population, and s is the logistic function. The
sums go over every state where there are few units (`every_state`); else a mean over states that are drawn by q takes
their place, the second sum being importance-sampled (S samples: - log of the mean is above - log p(x), by less with
more samples).
"""

from dataclasses import dataclass

import numpy as np

from cortex_model.errors import ParameterError

States = list[np.ndarray]
#: Hidden units whose states can all be listed.
MOST_UNITS = 16


@dataclass(frozen=True)
class HelmholtzMachine:
    """The weights of a machine.

    Attributes
    ----------
    forward : dict of int to ndarray, shape (n_l, n_{l-1})
        W_l, l = 1 ... L.
    biases : dict of int to ndarray, shape (n_l,)
        b_l.
    feedback : dict of int to ndarray, shape (n_{l-1}, n_l)
        V_l.
    priors : dict of int to ndarray, shape (n_l,)
        c_l, l = 0 ... L.
    """

    forward: dict[int, np.ndarray]
    biases: dict[int, np.ndarray]
    feedback: dict[int, np.ndarray]
    priors: dict[int, np.ndarray]

    @property
    def n_layers(self) -> int:
        """L."""
        return len(self.forward)

    def basal(self, below: np.ndarray, level: int) -> np.ndarray:
        """What drives population l from below, W_l h_{l-1} + b_l: shape (n, n_{l-1}) -> (n, n_l)."""
        return below @ self.forward[level].T + self.biases[level]

    def apical(self, states: States, level: int) -> np.ndarray:
        """What drives population l from above, V_{l+1} h_{l+1} + c_l; shape (n, n_l), at the top (n_L,)."""
        above = 0.0 if level == self.n_layers else states[level + 1] @ self.feedback[level + 1].T
        return above + self.priors[level]


def chance(drive: np.ndarray) -> np.ndarray:
    """1/(1 + exp(-drive)), without overflow."""
    return 0.5 * (1.0 + np.tanh(0.5 * drive))


def log_chance(states: np.ndarray, drive: np.ndarray) -> np.ndarray:
    """Log of the chance that a population is in its states, log B(h; s(a)) = h a - log(1 + e^a), summed over units."""
    return (states * drive - np.logaddexp(0, drive)).sum(axis=-1)


# ---------------------------------------------------------------------- states, drawn or listed
def recognise(machine: HelmholtzMachine, stimuli: np.ndarray, rng: np.random.Generator) -> States:
    """States h_0 ... h_L, drawn by recognition; each of shape (n, n_l)."""
    states = [np.asarray(stimuli, float)]
    for level in range(1, machine.n_layers + 1):
        q = chance(machine.basal(states[-1], level))
        states.append((rng.random(q.shape) < q).astype(float))
    return states


def dream(machine: HelmholtzMachine, n: int, rng: np.random.Generator) -> States:
    """States h_0 ... h_L of ``n`` fantasies, drawn by generation; each of shape (n, n_l)."""
    states: States = [np.zeros((0, 0))] * (machine.n_layers + 1)
    for level in range(machine.n_layers, -1, -1):
        shape = n, len(machine.priors[level])
        states[level] = (rng.random(shape) < chance(machine.apical(states, level))).astype(float)
    return states


def every_state(machine: HelmholtzMachine, stimulus: np.ndarray) -> States:
    """States h_0 ... h_L of one stimulus with every state of the hidden units; each of shape (2^n, n_l).

    Raises
    ------
    ParameterError
        If they are too many.
    """
    sizes = [len(machine.biases[level]) for level in range(1, machine.n_layers + 1)]
    if sum(sizes) > MOST_UNITS:
        raise ParameterError(
            f"every_state.machine: must have at most {MOST_UNITS} hidden units (got {sum(sizes)}); draw states by "
            "recognise."
        )
    n = 2 ** sum(sizes)
    hidden = (np.arange(n)[:, None] >> np.arange(sum(sizes)) & 1).astype(float)
    return [np.tile(np.asarray(stimulus, float), (n, 1)), *np.split(hidden, np.cumsum(sizes)[:-1], axis=1)]


def log_recognition(machine: HelmholtzMachine, states: States) -> np.ndarray:
    """Log q(h|x) of states; shape (n,)."""
    levels = range(1, machine.n_layers + 1)
    return sum(log_chance(states[level], machine.basal(states[level - 1], level)) for level in levels)


def log_generation(machine: HelmholtzMachine, states: States) -> np.ndarray:
    """Log p(x, h) of states; shape (n,)."""
    return sum(log_chance(states[level], machine.apical(states, level)) for level in range(machine.n_layers + 1))


# ---------------------------------------------------------------------- free energy and likelihood
def free_energy(machine: HelmholtzMachine, stimuli: np.ndarray) -> float:
    """F, mean over stimuli, by the sum over every hidden state; nats."""
    return float(np.mean([_exact(machine, stimulus)[0] for stimulus in stimuli]))


def negative_log_likelihood(machine: HelmholtzMachine, stimuli: np.ndarray) -> float:
    """- log p(x), mean over stimuli, by the sum over every hidden state; nats."""
    return float(np.mean([_exact(machine, stimulus)[1] for stimulus in stimuli]))


def _exact(machine, stimulus):
    states = every_state(machine, stimulus)
    log_q, log_p = log_recognition(machine, states), log_generation(machine, states)
    return np.sum(np.exp(log_q) * (log_q - log_p)), -np.logaddexp.reduce(log_p)


def sampled_bounds(
    machine: HelmholtzMachine, stimuli: np.ndarray, n_samples: int, rng: np.random.Generator
) -> tuple[float, float]:
    """F and - log p(x), means over stimuli, both from the same states drawn by recognition; nats.

    Parameters
    ----------
    machine : HelmholtzMachine
    stimuli : ndarray, shape (n, n_0)
        0 or 1.
    n_samples : int
        States drawn for each stimulus.
    rng : numpy.random.Generator

    Returns
    -------
    free_energy, negative_log_likelihood : float
        Without bias; and, on average, above the true one.
    """
    log_weights = np.empty((n_samples, len(stimuli)))
    for sample in range(n_samples):
        states = recognise(machine, stimuli, rng)
        log_weights[sample] = log_generation(machine, states) - log_recognition(machine, states)
    likelihoods = np.logaddexp.reduce(log_weights, axis=0) - np.log(n_samples)
    return float(-log_weights.mean()), float(-likelihoods.mean())


def independent_units(training: np.ndarray, stimuli: np.ndarray) -> float:
    """- log likelihood of stimuli where each unit is on by itself, as often as in training; mean, nats."""
    return float(-log_chance(np.asarray(stimuli, float), prior_of(training)).mean())


def prior_of(training: np.ndarray) -> np.ndarray:
    """Drive by which each unit is on as often as in training, log(m/(1 - m)); shape (n_0,).

    A unit that is never on, or always, counts as one that is so in all but one of the stimuli.
    """
    edge = 1 / max(len(training), 2)
    mean = np.clip(np.mean(training, axis=0, dtype=float), edge, 1 - edge)
    return np.log(mean) - np.log1p(-mean)


# ---------------------------------------------------------------------- what learning does
def mean_wake_update(machine: HelmholtzMachine, stimuli: np.ndarray) -> dict[str, np.ndarray]:
    """What one wake presentation changes on average, without the learning rate: by the sum over every state.

        <dV_l> = < (h_{l-1} - p_{l-1}) h_l^T >_q,    <dc_l> = < h_l - p_l >_q

    Returns
    -------
    updates : dict of ndarray
        ``V_1`` ... , ``c_0`` ...: means over stimuli.
    """
    totals: dict[str, np.ndarray] = {}
    for stimulus in stimuli:
        states = every_state(machine, stimulus)
        weights = np.exp(log_recognition(machine, states))[:, None] / len(stimuli)
        for level in range(machine.n_layers + 1):
            surprise = weights * (states[level] - chance(machine.apical(states, level)))
            changes = {f"c_{level}": surprise.sum(axis=0)}
            if level < machine.n_layers:
                changes[f"V_{level + 1}"] = surprise.T @ states[level + 1]
            totals = totals | {name: totals.get(name, 0.0) + change for name, change in changes.items()}
    return totals


def helmholtz_update(machine: HelmholtzMachine, states: States, phase: str) -> dict[str, np.ndarray]:
    """What one presentation changes, given the states it has drawn, without the learning rate; means over rows.

    Parameters
    ----------
    machine : HelmholtzMachine
    states : list of ndarray, shape (n, n_l)
        By `recognise` in wake, by `dream` in sleep.
    phase : {"wake", "sleep"}

    Returns
    -------
    updates : dict of ndarray
        ``V_l`` and ``c_l`` in wake, ``W_l`` and ``b_l`` in sleep.
    """
    changes, n = {}, len(states[0])
    if phase == "wake":
        for level in range(machine.n_layers + 1):
            surprise = states[level] - chance(machine.apical(states, level))
            changes[f"c_{level}"] = surprise.mean(axis=0)
            if level < machine.n_layers:
                changes[f"V_{level + 1}"] = surprise.T @ states[level + 1] / n
        return changes
    for level in range(1, machine.n_layers + 1):
        overlooked = states[level] - chance(machine.basal(states[level - 1], level))
        changes |= {f"b_{level}": overlooked.mean(axis=0), f"W_{level}": overlooked.T @ states[level - 1] / n}
    return changes


def nearest_bits(images: np.ndarray, training: np.ndarray) -> np.ndarray:
    """Bits by which each image differs from the nearest training image; shape (n,)."""
    a, b = np.asarray(images, float), np.asarray(training, float)
    return (a.sum(axis=1)[:, None] + b.sum(axis=1) - 2 * a @ b.T).min(axis=1)
