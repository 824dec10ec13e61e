"""Names in equations of a user's own objects: found where the run begins, as in Brian2, or asked for in a sentence."""

import numpy as np
import pytest
from brian2 import NeuronGroup, StateMonitor, Synapses, ms
from brian2.utils.logger import catch_logs

from cortex_model.devices.session import SLOT
from cortex_model.devices.simulation import Simulation
from cortex_model.errors import DeviceError, ParameterError
from cortex_model.parameters import SleepWakeParameters
from cortex_model.schedule import Stimuli, sleep_schedule
from cortex_model.weights import initial_weights

P = SleepWakeParameters(layer_sizes=(4, 3), feedback_to_input=True, biases=False)

of_the_module = 20 * ms


def asleep():
    """What a simulation runs: sleep alone."""
    return sleep_schedule(P, 8, measure_every=4), Stimuli(), initial_weights(P, 1), {"sleep_learning_rate": 0.01}


@pytest.fixture(autouse=True)
def few_objects(alone):
    alone("reciprocal")


def extended(device, constant, **given):
    """A simulation with leaky neurons whose equations hold a name, and what records them."""
    simulation = Simulation(P, device)
    hierarchy = simulation.hierarchy
    equations = f"dv/dt = (drive - v)/{constant} : 1\ndrive : 1"
    slow = NeuronGroup(3, equations, method="exact", name="slow", **given)
    probe = Synapses(hierarchy.populations[1], slow, "drive_post = up_pre : 1 (summed)", name="probe")
    probe.connect(j="i")
    monitor = StateMonitor(slow, ("v", "drive"), record=True, name="traced")
    hierarchy.add(slow, probe, monitor)
    return simulation, monitor


def check_follows(recorded, time_constant):
    """Each trace relaxes to its drive, which is recorded too, with this time constant and no other."""
    v, drive = (np.asarray(recorded[name], float) for name in ("v", "drive"))
    expected = drive[:, 1:] + (v[:, :-1] - drive[:, 1:]) * np.exp(-float(SLOT / time_constant))
    assert np.abs(v).max() > 0.01
    np.testing.assert_allclose(v[:, 1:], expected, rtol=1e-5, atol=1e-6)


def test_names_of_the_caller_are_found():
    of_the_function = 5 * ms
    for name, value in (("of_the_module", of_the_module), ("of_the_function", of_the_function)):
        simulation, monitor = extended("runtime", name)
        simulation.run(*asleep())
        check_follows(simulation.recorded(monitor), value)


def test_what_an_object_is_given_comes_first():
    tau = 1 * ms
    simulation, monitor = extended("runtime", "tau", namespace={"tau": 30 * tau})
    with catch_logs():
        simulation.run(*asleep())
    check_follows(simulation.recorded(monitor), 30 * ms)


@pytest.mark.parametrize(  # all but the first stand in functions of this package
    ("device", "name"),
    [("runtime", "of_nobody"), ("runtime", "index"), ("runtime", "read"), ("cpp_standalone", "step")],
)
def test_names_of_nobody_are_asked_for(device, name):
    simulation, _ = extended(device, name)
    sentence = rf"^slow\.{name}: must be a name .* \(got none\); .* namespace=\{{'{name}': \.\.\.\}}"
    with pytest.raises(ParameterError, match=sentence):
        simulation.run(*asleep())


def test_a_callers_names_do_not_disturb_the_hierarchy():
    rate = weight = delta = noise = 7.0
    exp, tau = np.sin, 20 * ms
    simulation, monitor = extended("runtime", "tau")
    with catch_logs() as logs:
        simulation.run(*asleep())
    assert [log for log in logs if "resolution_conflict" in log[1]] == []
    check_follows(simulation.recorded(monitor), tau)
    assert {rate, weight, delta, noise} == {7.0} and exp is np.sin


def test_names_are_looked_up_at_every_run():
    simulation, monitor = extended("runtime", "tau")
    tau = 20 * ms
    simulation.run(*asleep())
    before = simulation.recorded(monitor)["v"]
    tau = 5 * ms
    simulation.run(*asleep())
    after = simulation.recorded(monitor)["v"][:, before.shape[1] :]
    assert tau == 5 * ms and np.abs(after - before).max() > 0.01


@pytest.mark.compiler
@pytest.mark.slow
def test_a_compiled_constant_is_found_and_cannot_change():
    simulation, monitor = extended("cpp_standalone", "of_the_function")
    of_the_function = 5 * ms
    simulation.run(*asleep())
    v = 1.0  # a name of the object itself: may be anything
    check_follows(simulation.recorded(monitor), of_the_function)
    simulation.run(*asleep())
    of_the_function = 6 * ms
    with pytest.raises(
        DeviceError, match=r"^Simulation\.of_the_function: must be what it was .*, 5\. ms \(got 6\. ms\)"
    ):
        simulation.run(*asleep())
    assert (of_the_function, v) == (6 * ms, 1.0)


def test_differential_equations_of_ones_own_raise_no_warning_of_numpy(recwarn):
    """Brian2 compares its float32 states with a number that float32 cannot hold."""
    simulation, _ = extended("runtime", "of_the_module")
    with catch_logs() as logs:
        simulation.run(*asleep())
    assert [log for log in logs if "Warning" in log[2]] == []
    assert [str(warning.message) for warning in recwarn if issubclass(warning.category, RuntimeWarning)] == []
