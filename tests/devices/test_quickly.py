"""Code objects that are made quickly are those that Brian2 makes, and Brian2 is left as it was."""

import gc
from contextlib import nullcontext

import pytest
from brian2.codegen import translation
from brian2.codegen.generators import base

from cortex_model.devices import session
from cortex_model.devices.quickly import quickly
from cortex_model.devices.simulation import Simulation
from cortex_model.parameters import SleepWakeParameters
from cortex_model.schedule import sleep_schedule
from cortex_model.schedule.stimuli import Stimuli
from cortex_model.weights import initial_weights


def made():
    """The source of each code object, and the weights after some sleep."""
    p = SleepWakeParameters(layer_sizes=(5, 4, 3), sleep_normalisation=True)
    simulation = Simulation(p, "runtime")
    state = simulation.run(sleep_schedule(p, 5, 5), Stimuli(), initial_weights(p, 1))
    objects = [each for obj in simulation.hierarchy.network.sorted_objects for each in obj.code_objects]
    return [str(each.code) for each in objects], state.weights.sha256


def test_code_objects_are_the_same(alone, monkeypatch):
    alone("reciprocal")
    codes, weights = made()
    monkeypatch.setattr(session, "quickly", nullcontext)
    assert made() == (codes, weights) and len(codes) > 10


def test_brian_is_left_as_it_was():
    kept = translation.make_statements
    with pytest.raises(ZeroDivisionError), quickly():
        assert translation.make_statements is base.make_statements is kept.__wrapped__ and gc.get_freeze_count() > 0
        with quickly():
            pass
        assert gc.get_freeze_count() > 0, "one within another leaves it to the outer one"
        1 / 0  # noqa: B018
    assert translation.make_statements is base.make_statements is kept and gc.get_freeze_count() == 0


def test_what_was_frozen_by_others_stays_so():
    gc.freeze()
    try:
        with quickly():
            pass
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
