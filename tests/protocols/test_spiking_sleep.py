"""`spiking_sleep`: what it takes over from other parameters stays checked, and what it says at the end."""

import pytest

from cortex_model.errors import ParameterError
from cortex_model.protocol import load_protocol
from cortex_model.runs.running import start


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"dynamics": "fast"}, r"dynamics: must be one of settled, leaky, spiking \(got 'fast'\)"),
        ({"feedback_rate": -1}, r"feedback_rate: must be a number above 0 \(got -1\)"),
    ],
)
def test_parameters_that_were_taken_over_are_checked_as_ever(given, sentence):
    with pytest.raises(ParameterError, match=sentence):
        load_protocol("spiking_sleep").parameters(**given)


def test_rates_are_refused_and_spikes_are_counted(tmp_path):
    protocol = load_protocol("spiking_sleep")
    with pytest.raises(ParameterError, match="must be spiking here"):
        start("spiking_sleep", protocol.parameters(dynamics="settled"), 0, "runtime", tmp_path)
    tiny = protocol.parameters(**protocol.tiny | {"n_presentations": 4, "look_every_presentations": 2})
    found = start("spiking_sleep", tiny, 0, "runtime", tmp_path)
    assert {*found["spikes_per_presentation"]} == {"forward", "feedback"} and len(found["relative_norm"]) == 2
    assert all(number > 0 for number in found["spikes_per_presentation"].values())
