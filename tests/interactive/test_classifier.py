"""The estimator keeps scikit-learn's promises."""

import warnings

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from cortex_model import CortexClassifier
from cortex_model.errors import ParameterError


@pytest.mark.slow
def test_scikit_learns_own_checks():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        checks = check_estimator(
            CortexClassifier((4,), epochs=4, batch_size=25, learning_rate=0.3, sleep_per_wake=0.5), on_skip=None
        )
    assert len(checks) > 40 and {check["status"] for check in checks} <= {"passed", "skipped"}


def test_it_works_in_a_pipeline_and_a_grid_search(data):
    X, y = data
    names = np.array(["square", "circle", "star"])[y]
    pipeline = make_pipeline(StandardScaler(), CortexClassifier((5,), epochs=5, batch_size=5, device="runtime"))
    assert cross_val_score(pipeline, X, names, cv=2).mean() > 0.5
    grid = GridSearchCV(pipeline, {"cortexclassifier__learning_rate": [0.0001, 0.1]}, cv=2).fit(X, names)
    assert grid.best_params_ == {"cortexclassifier__learning_rate": 0.1}
    assert set(grid.predict(X)) <= set(names)


def test_it_is_taught_bit_by_bit(data):
    X, y = data
    given = {"hidden_layers": (5,), "device": "runtime", "random_state": 2}
    at_once = CortexClassifier(epochs=2, **given).fit(X, y)
    twice = CortexClassifier(**given).partial_fit(X, y, classes=[0, 1, 2]).partial_fit(X, y)
    assert at_once.cortex_.weights.sha256 == twice.cortex_.weights.sha256
    assert np.allclose(twice.predict_proba(X).sum(axis=1), 1)
    with pytest.raises(ParameterError, match=r"must hold classes of the first call, \[0, 1, 2\] \(got 7\)"):
        twice.partial_fit(X, y * 0 + 7)
