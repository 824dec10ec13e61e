"""Sequences learned by a circuit of EC, CA3 and CA1: its rule by hand, replay, and backpropagation through time.

Two models of the same task, to say at time t what comes at t + 1:

- the circuit of `cortex_model.rules.predictive_recirculation`, whose functions here are written without looking at the
  declaration: an oracle of what is simulated;
- a recurrent network that learns by backpropagation through time, with which it is compared:

      y_t = tanh(J y_{t-1} + B h_t),    hhat_{t+1} = tanh(U y_t),    y_0 = 0

  Its gradient is exact, of the sum of squared errors over a lap. It is not local, in space or in time.

Letters: h_t rates of EC at time t, shape (n,); y_t states of CA3, shape (m,); hhat_{t+1} what is predicted of EC;
B (m, n) from EC to CA3; A and J (m, m) recurrent; U (n, m) from CA3 to CA1; eta the learning rate.

Source: Y. Chen, H. Zhang, M. Cameron and T. Sejnowski, Neuron 112, 2024; P. J. Werbos, Proceedings of the IEEE 78,
1990.
"""

from typing import NamedTuple

import numpy as np


class Circuit(NamedTuple):
    """Synapses of EC -> CA3 -> CA3 -> CA1 -> EC; the last are one to one where they are not given."""

    B: np.ndarray
    A: np.ndarray
    U: np.ndarray
    E: np.ndarray | None = None


def predicted(circuit: Circuit, h: np.ndarray) -> np.ndarray:
    """hhat_{t+1} = tanh(U tanh(A tanh(B h_t))); of one state, shape (n,), or of rows of states, shape (T, n)."""
    B, A, U, _ = circuit
    return np.tanh(np.tanh(np.tanh(h @ B.T) @ A.T) @ U.T)


def predictive_recirculation_update(circuit: Circuit, h: np.ndarray, h_next: np.ndarray, eta: float) -> Circuit:
    """The circuit after one step of a sequence, from h_t to h_{t+1}.

    dU = eta (h_{t+1} - hhat_{t+1}) yhat_{t+1}^T,    dA = eta (y_{t+1} - yhat_{t+1}) y_t^T

    where y_t = tanh(B h_t) and yhat_{t+1} = tanh(A y_t); B is fixed.
    """
    B, A, U, _ = circuit
    y, y_next = np.tanh(B @ h), np.tanh(B @ h_next)
    expected = np.tanh(A @ y)
    error = h_next - np.tanh(U @ expected)
    return circuit._replace(A=A + eta * np.outer(y_next - expected, y), U=U + eta * np.outer(error, expected))


def replayed(circuit: Circuit, h: np.ndarray, n_steps: int, through_cortex: float = 0.0) -> np.ndarray:
    """What CA1 predicts while the circuit goes on by itself from one state of EC; shape (n_steps, n).

    y_{t+1} = (1 - g) yhat_{t+1} + g tanh(B E hhat_{t+1})

    where g, ``through_cortex``, is 0 where the loop is closed within CA3, and 1 where through CA1 and EC.
    """
    B, A, U, E = circuit
    y, found = np.tanh(B @ h), []
    for _ in range(n_steps):
        expected = np.tanh(A @ y)
        found.append(np.tanh(U @ expected))
        returned = found[-1] if E is None else E @ found[-1]
        y = (1 - through_cortex) * expected + through_cortex * np.tanh(B @ returned)
    return np.array(found)


# ---------------------------------------------------------------------- backpropagation through time
class Recurrent(NamedTuple):
    """Synapses of a recurrent network: from the input, among its neurons, and to the prediction."""

    B: np.ndarray
    J: np.ndarray
    U: np.ndarray


def recurrent_at_start(n: int, m: int, rng: np.random.Generator) -> Recurrent:
    """B ~ N(0, 1/n), J ~ N(0, 1/m), U ~ N(0, 0.01/m): what learned best in our sketch."""
    B, J, U = rng.normal(size=(m, n)), rng.normal(size=(m, m)), rng.normal(size=(n, m))
    return Recurrent(B / np.sqrt(n), J / np.sqrt(m), 0.1 * U / np.sqrt(m))


def through_time(network: Recurrent, states: np.ndarray, first: np.ndarray | None = None):
    """y_t and hhat_{t+1} along a sequence; shapes (T + 1, m), y_0 first, and (T, n)."""
    B, J, U = network
    y = [np.zeros(len(J)) if first is None else first]
    for h in states:
        y.append(np.tanh(J @ y[-1] + B @ h))
    return np.array(y), np.tanh(np.array(y[1:]) @ U.T)


def loss_through_time(network: Recurrent, states: np.ndarray) -> float:
    """L = 1/2 sum_t |h_{t+1} - hhat_{t+1}|^2 along a sequence of T + 1 states."""
    return 0.5 * float(np.square(states[1:] - through_time(network, states[:-1])[1]).sum())


def gradient_through_time(network: Recurrent, states: np.ndarray) -> Recurrent:
    """dL/dB, dL/dJ and dL/dU of `loss_through_time`, by backpropagation through all of the sequence.

        delta_t = (1 - y_t^2) (U^T d_t + J^T delta_{t+1}),    d_t = (hhat_{t+1} - h_{t+1}) (1 - hhat_{t+1}^2)
        dL/dU = sum_t d_t y_t^T,    dL/dJ = sum_t delta_t y_{t-1}^T,    dL/dB = sum_t delta_t h_t^T

    Parameters
    ----------
    network : Recurrent
    states : ndarray, shape (T + 1, n)
    """
    _, J, U = network
    y, expected = through_time(network, states[:-1])
    d = (expected - states[1:]) * (1 - expected**2)
    deltas, later = np.zeros((len(d), len(J))), np.zeros(len(J))
    for t in range(len(d) - 1, -1, -1):
        deltas[t] = (U.T @ d[t] + later) * (1 - y[t + 1] ** 2)
        later = J.T @ deltas[t]
    return Recurrent(deltas.T @ states[:-1], deltas.T @ y[:-1], d.T @ y[1:])


def learned_through_time(network: Recurrent, states: np.ndarray, n_laps: int, eta: float):
    """The network, and its mean squared error, after each of ``n_laps`` laps of gradient descent; the start first."""
    for lap in range(n_laps + 1):
        yield network, 2 * loss_through_time(network, states) / states[1:].size
        if lap < n_laps:
            gradient = gradient_through_time(network, states)
            network = Recurrent(*(w - eta * g for w, g in zip(network, gradient, strict=True)))


def replayed_through_time(network: Recurrent, cue: np.ndarray, n_steps: int) -> np.ndarray:
    """What the recurrent network predicts in a closed loop after it has seen a cue; shape (n_steps, n).

    Parameters
    ----------
    network : Recurrent
    cue : ndarray, shape (n_cue, n)
        States that are shown before the loop is closed.
    n_steps : int
        The first prediction follows the last state of the cue.
    """
    y, expected = through_time(network, cue)
    state, found = y[-1], [expected[-1]]
    while len(found) < n_steps:
        (_, state), (said,) = through_time(network, found[-1][None], state)
        found.append(said)
    return np.array(found)
