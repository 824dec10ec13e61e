"""What a hierarchy is asked: nothing of it changes, and the interpreter of its rule answers."""

from typing import Any

import numpy as np

from cortex_model import theory
from cortex_model.analysis.alignment import alignment
from cortex_model.analysis.update_directions import update_angles
from cortex_model.errors import ParameterError
from cortex_model.interactive.given import stimuli_of, targets_of
from cortex_model.reference.hierarchy import presented
from cortex_model.rules.own import short


class Answers:
    """Questions to a hierarchy that has ``parameters`` and ``_weights``."""

    parameters: Any
    _weights: Any

    def rates(self, X: Any) -> dict[int, np.ndarray]:
        """Rates of every population, as a stimulus leaves them.

        Parameters
        ----------
        X : array_like, shape (n_stimuli, n_0)

        Returns
        -------
        rates : dict of ndarray, shape (n_stimuli, n_l)
            Population -> rates; 0 is the input.
        """
        X = stimuli_of(X, self.parameters.layer_sizes[0], "Cortex.rates")
        return self._presented("evaluation", X, "rate")

    def predict(self, X: Any) -> np.ndarray:
        """The most active neuron of the top population for each stimulus: its label.

        Of a top population of one neuron, its rate.
        """
        top = self.rates(X)[self.parameters.n_layers]
        return top.argmax(axis=1) if top.shape[1] > 1 else top[:, 0]

    def score(self, X: Any, y: Any) -> float:
        """How well stimuli are answered.

        Parameters
        ----------
        X : array_like, shape (n_stimuli, n_0)
        y : array_like, shape (n_stimuli,) or (n_stimuli, n_L)
            Labels, or target rates.

        Returns
        -------
        score : float
            Of labels: the part that is right, 0 to 1. Of target rates: R^2 = 1 - |rates - targets|^2 / |targets - their
            mean over stimuli|^2, at most 1.
        """
        top, labels = self.rates(X)[self.parameters.n_layers], np.asarray(y)
        targets = targets_of(y, top.shape[1], len(top), "Cortex.score")
        if labels.ndim == 1 and top.shape[1] > 1:
            return float(np.mean(top.argmax(axis=1) == labels))
        return theory.explained_variance(top.T, targets.T)

    def reconstruct(self, X: Any) -> dict[int, np.ndarray]:
        """What feedback makes of each population's rates from the drive above: r_{l-1} = V_l (a_l - b_l) / g.

        Parameters
        ----------
        X : array_like, shape (n_stimuli, n_0)

        Returns
        -------
        reconstructions : dict of ndarray, shape (n_stimuli, n_{l-1})
            Population l-1 -> reconstruction, beside which `rates` can be laid; g is the gain of the noise in sleep.

        Raises
        ------
        ParameterError
            For a rule whose feedback does not come from the population above.
        """
        X = stimuli_of(X, self.parameters.layer_sizes[0], "Cortex.reconstruct")
        self._feedback("Cortex.reconstruct")
        if self.parameters.dynamics == "spiking":  # which feedback cells have sent down, with the gain in them
            return self._presented("perception", X, "apical_drive")
        drives, w, g = self._presented("evaluation", X, "basal_drive"), self._weights, self.parameters.noise_gain
        return {
            l - 1: (drives[l] - w.biases[l].astype(float)) @ w.feedback[l].astype(float).T / g
            for l in sorted(w.feedback)
        }

    def recall(self, top_states: Any) -> dict[int, np.ndarray]:
        """Rates of every population while states are held at the top: activity descends, h_{l-1} = sigma(V_l h_l).

        Parameters
        ----------
        top_states : array_like, shape (n_states, n_L)
            Rates of the top population; rows of the identity for its classes.

        Returns
        -------
        rates : dict of ndarray, shape (n_states, n_l)
            Of those populations that feedback reaches; of the input with ``feedback_to_input=True``.
        """
        p = self.parameters
        self._feedback("Cortex.recall")
        states = targets_of(top_states, p.layer_sizes[-1], len(np.atleast_1d(top_states)), "Cortex.recall")
        return self._presented("recall", states, "rate")

    def angles(self, X: Any = None, y: Any = None) -> dict[str, dict[int, float]]:
        """Angles of the feedback weights to what they could become and, of stimuli, of the update to other methods'.

        Parameters
        ----------
        X, y : array_like, optional
            As for `Cortex.wake`: on which the rule's update of W is compared.

        Returns
        -------
        angles : dict of dict
            In degrees: ``"V to W^+"``, ``"V to W^T"`` and ``"V to its fixed point"`` -> l -> angle; with stimuli also
            ``"update to backpropagation"`` and ``"update to gauss_newton"``, damped and not -> l of a hidden
            population -> angle.
        """
        p, w, found = self.parameters, self._weights, {}
        if w.feedback and not p.feedback_from_top:
            said = {"pseudoinverse": "V to W^+", "transpose": "V to W^T", "fixed_point": "V to its fixed point"}
            measured = alignment(w, p.sleep_damping, p.noise_gain)
            for name, words in said.items():
                values = measured[f"alignment_angle_to_{name}_degrees"]
                found[words] = dict(zip(sorted(w.feedback), values.tolist(), strict=True))
        if X is not None:
            X = stimuli_of(X, p.layer_sizes[0], "Cortex.angles")
            y = targets_of(y, p.layer_sizes[-1], len(X), "Cortex.angles")
            for name, values in update_angles(w, X, y, p).items():
                words = name.removeprefix("update_angle_to_").removesuffix("_degrees").replace("_", " ")
                found[f"update to {words}"] = dict(enumerate(values.tolist(), 1))
        return found

    # ------------------------------------------------------------------ how it is found
    def _presented(self, phase, rows, variable):
        """A variable of every population that has it, after each row was presented in a phase."""
        self._weights.check(self.parameters)
        if phase not in self.parameters.rule.phases:
            raise ParameterError(
                f"Cortex: the rule must say what happens in {phase} (got none in "
                f"{short(self.parameters.learning_rule)}); add that phase to it."
            )
        return presented(self.parameters, self._weights, phase, rows, variable)

    def _feedback(self, where):
        if not self._weights.feedback or self.parameters.feedback_from_top:
            raise ParameterError(
                f"{where}: the rule must have feedback from each population to the one below (got "
                f"{short(self.parameters.learning_rule)} with sizes "
                f"{'-'.join(map(str, self.parameters.layer_sizes))}); use another rule, or feedback_to_input=True."
            )
