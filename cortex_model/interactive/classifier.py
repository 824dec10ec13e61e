"""`CortexClassifier`: a hierarchy as an estimator of scikit-learn."""

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets, unique_labels
from sklearn.utils.validation import check_is_fitted, validate_data

from cortex_model.errors import ParameterError
from cortex_model.interactive.cortex import Cortex
from cortex_model.schedule import one_hot

#: Arguments that are parameters of a hierarchy, handed on where they are given.
OF_HIERARCHY = ("nonlinearity", "learning_rate", "sleep_learning_rate", "damping", "sleep_per_wake", "batch_size")


class CortexClassifier(ClassifierMixin, BaseEstimator):
    """A hierarchy that learns classes, for scikit-learn's pipelines, cross-validation and grid search.

    The input population has a neuron for each feature, the top one a neuron for each class, with softmax rates. Scale
    the features, for example by ``make_pipeline(StandardScaler(), CortexClassifier())``.

    Parameters
    ----------
    hidden_layers : sequence of int
        Neurons in each hidden population, lowest first.
    learning_rule : str, Path or Rule
        See `cortex_model.Cortex`.
    epochs : int
        Times that `fit` shows every stimulus; `partial_fit` shows each once.
    sleep_before : int
        Sleep presentations before the first stimulus.
    nonlinearity, learning_rate, sleep_learning_rate, damping, sleep_per_wake, batch_size : optional
        Parameters of the hierarchy (`cortex_model.parameters.SleepWakeParameters`); its defaults where None.
    parameters : dict, optional
        Any others, by name.
    device : str, optional
        See `cortex_model.Cortex`.
    random_state : int, RandomState or None
        Seed of weights, noise and orders of stimuli; None: another one each time.

    Attributes
    ----------
    cortex_ : Cortex
        The hierarchy, with its weights, angles and Brian2 objects.
    classes_ : ndarray
        Labels, in the order of the neurons of the top population.
    n_features_in_, n_iter_ : int
        Features, and epochs so far.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.preprocessing import scale
    >>> X, y = load_iris(return_X_y=True)
    >>> CortexClassifier((8,), epochs=5, batch_size=5, random_state=0).fit(scale(X), y).score(scale(X), y) > 0.8
    True
    """

    def __init__(
        self,
        hidden_layers: Any = (32,),
        learning_rule: Any = "reciprocal",
        *,
        epochs: int = 20,
        sleep_before: int = 0,
        nonlinearity: str | None = None,
        learning_rate: float | None = None,
        sleep_learning_rate: float | None = None,
        damping: float | None = None,
        sleep_per_wake: float | None = None,
        batch_size: int | None = None,
        parameters: dict[str, Any] | None = None,
        device: str | None = None,
        random_state: Any = 0,
    ):
        self.hidden_layers, self.learning_rule = hidden_layers, learning_rule
        self.epochs, self.sleep_before = epochs, sleep_before
        self.nonlinearity, self.learning_rate, self.sleep_learning_rate = (
            nonlinearity, learning_rate, sleep_learning_rate,
        )  # fmt: skip
        self.damping, self.sleep_per_wake, self.batch_size = damping, sleep_per_wake, batch_size
        self.parameters, self.device, self.random_state = parameters, device, random_state

    def fit(self, X: Any, y: Any) -> "CortexClassifier":
        """Begin anew, sleep, and show every stimulus ``epochs`` times.

        Parameters
        ----------
        X : array_like, shape (n_stimuli, n_features)
        y : array_like, shape (n_stimuli,)
            Classes, of any kind.
        """
        X, y = validate_data(self, X, y)
        check_classification_targets(y)
        return self._begin(unique_labels(y))._shown(X, y, self.epochs)

    def partial_fit(self, X: Any, y: Any, classes: Any = None) -> "CortexClassifier":
        """Show every stimulus once more, to the hierarchy as it is.

        Parameters
        ----------
        X, y
            See `fit`.
        classes : array_like, optional
            All that will ever come; those of ``y`` unless given with the first call.
        """
        is_first = not hasattr(self, "cortex_")
        X, y = validate_data(self, X, y, reset=is_first)
        check_classification_targets(y)
        if is_first:
            self._begin(unique_labels(y) if classes is None else unique_labels(classes))
        return self._shown(X, y, 1)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Rates of the top population, one column a class of ``classes_``; shape (n_stimuli, n_classes).

        They sum to 1 where ``top`` is softmax. Counts of spikes (``dynamics="spiking"``) become parts of those that are
        above 0, of which each class has a thousandth beforehand.
        """
        rates = self._rates(X)
        if self.cortex_.parameters.dynamics != "spiking":
            return rates
        counts = np.maximum(rates, 0) + 0.001
        return counts / counts.sum(axis=1, keepdims=True)

    def _rates(self, X):
        check_is_fitted(self)
        X = validate_data(self, X, reset=False)
        return self.cortex_.rates(X)[self.cortex_.parameters.n_layers]

    def predict(self, X: Any) -> np.ndarray:
        """The class whose neuron is the most active, for each stimulus."""
        rates = self._rates(X)
        return self.classes_[rates.argmax(axis=1)]

    def _begin(self, classes):
        self.classes_, self.n_iter_ = classes, 0
        own = {name: getattr(self, name) for name in OF_HIERARCHY if getattr(self, name) is not None}
        hidden = np.atleast_1d(self.hidden_layers).tolist()
        sizes = (self.n_features_in_, *hidden, len(classes))
        seed = self.random_state
        if not isinstance(seed, int | np.integer):
            seed = check_random_state(seed).randint(2**31 - 1)
        given = own | (self.parameters or {})
        self.cortex_ = Cortex(sizes, self.learning_rule, seed=seed, device=self.device, **given)
        if self.sleep_before:
            self.cortex_.sleep(self.sleep_before)
        return self

    def _shown(self, X, y, epochs):
        if unknown := sorted({*np.unique(y).tolist()} - {*self.classes_.tolist()}, key=str):
            raise ParameterError(
                f"CortexClassifier.partial_fit: y must hold classes of the first call, {self.classes_.tolist()} (got "
                f"{unknown[0]!r}); give all of them with it: partial_fit(X, y, classes=...)."
            )
        targets = one_hot(np.searchsorted(self.classes_, y), len(self.classes_))
        self.cortex_.wake(X, targets, epochs=epochs)
        self.n_iter_ += epochs
        return self
