"""Backpropagation, and the matrix by which an error reaches a population: what learning rules are compared with."""

from collections.abc import Mapping

import numpy as np

from cortex_model.theory.credit_assignment import activation_reciprocal
from cortex_model.theory.rate_network import hierarchy_response, output_error

Weights = Mapping[int, np.ndarray]


def activation_reciprocal_matrix(
    feedback: Weights, basal_drives: Weights, nonlinearity: str = "tanh", **options
) -> dict[int, np.ndarray]:
    """Return the matrices that `activation_reciprocal` applies to the output error: delta_l = B_l e.

    With J_l the Jacobian of the top basal drive a_L with respect to a_l, V = W^+ and the reciprocal slope,
    J_l B_l = I where all layers above l narrow, have full row rank, and slopes above the cutoff.

    The paper calls B_l a left reciprocal; with narrowing layers it is a right one, and in general not
    the pseudoinverse of J_l.

    Parameters
    ----------
    feedback : dict of ndarray
        V_l, shape (n_{l-1}, n_l).
    basal_drives : dict of ndarray
        a_l, shape (n_l,): one stimulus.
    nonlinearity : str
    **options
        The further options of `activation_reciprocal`.

    Returns
    -------
    dict of ndarray
        B_l, shape (n_l, n_L), for l = L ... 1; D_l included.

    Raises
    ------
    ParameterError
        If the nonlinearity or the slope rule has no such name.
    """
    columns = {l: drive[:, np.newaxis] for l, drive in basal_drives.items()}
    return activation_reciprocal(feedback, columns, np.eye(len(columns[max(columns)])), nonlinearity, **options)


def backpropagation_gradient(
    forward: Weights,
    biases: Weights | None,
    stimulus: np.ndarray,
    target: np.ndarray,
    nonlinearity: str = "tanh",
    top: str = "softmax",
) -> tuple[dict[int, np.ndarray], dict[int, np.ndarray]]:
    """Return the gradients of `output_loss` with respect to the forward weights and the biases.

    `activation_reciprocal` with V_l = W_l^T: the gradients are delta_l h_{l-1}^T and delta_l.

    Parameters
    ----------
    forward, biases, stimulus, target, nonlinearity, top
        See `wake_presentation`.

    Returns
    -------
    forward_gradients, bias_gradients : dict of ndarray
        Shapes (n_l, n_{l-1}) and (n_l,), for l = 1 ... L.

    Raises
    ------
    ParameterError
        If one of the names is not known.
    """
    basal_drives, rates = hierarchy_response(forward, biases, stimulus, nonlinearity, top)
    error = output_error(rates[max(forward)], target)
    transposes = {l: weights.T for l, weights in forward.items()}
    deltas = activation_reciprocal(transposes, basal_drives, error, nonlinearity)
    return {l: np.outer(deltas[l], rates[l - 1]) for l in forward}, deltas
