"""What goes by another name is pointed to; what is not offered is named, with what is nearest; nothing is guessed."""

import re

import pytest

from cortex_model.datasets.layer_sizes import check_layer_sizes, fitting_sizes
from cortex_model.devices.availability import check_device
from cortex_model.errors import DeviceError, ParameterError
from cortex_model.parameters.offered import NOT_OFFERED, SYNONYMS, advice
from cortex_model.protocol import load_protocol

PARAMETERS = load_protocol("wake_sleep_classification").parameters
CHOICES = {
    name: prop.get("enum", prop.get("choices", []))
    for name, prop in PARAMETERS.model_json_schema()["properties"].items()
}
#: What people ask for that there is not.
ABSENT = (
    "izhikevich", "stdp", "convolution", "sparse", "recurrent", "lateral", "dale", "momentum", "adam", "optimizer",
    "l2",
    "dropout", "batch_norm", "attention", "jax", "gpu", "cuda", "hebbian", "conv_layers", "use_gpu", "dales_law",
)  # fmt: skip
#: What people ask for -> what it is called.
CALLED = {
    "lr": "learning_rate", "eta": "learning_rate", "hidden": "layer_sizes", "n_epochs": "epochs", "batch": "batch_size",
    "activation": "nonlinearity", "seed": "--seed", "refractory": "refractory_ms", "v_thresh": "firing_threshold",
     "out_dir": "--out", "tau": "time_constant_ms", "LR": "learning_rate",
}  # fmt: skip
VALUES = {
    ("dynamics", "snn"): "spiking", ("nonlinearity", "relu"): "threshold_linear",
    ("nonlinearity", "ReLU"): "threshold_linear",
    ("learning_rule", "backprop"): "backpropagation", ("learning_rule", "bp"): "backpropagation",
    ("learning_rule", "fa"): "random_feedback", ("learning_rule", "feedback_alignment"): "random_feedback",
    ("learning_rule", "dfa"): "direct_feedback", ("learning_rule", "pinv"): "exact_pseudoinverse",
    ("learning_rule", "weight-mirror"): "weight_mirror", ("learning_rule", "Kolen Pollack"): "kolen_pollack",
    ("top", "cross_entropy"): "softmax", ("dtype", "double"): "float64", ("dataset", "cifar"): "cifar10",
    ("learning_rule", "relu"): "nonlinearity=threshold_linear",
}  # fmt: skip


def refused(**overrides):
    with pytest.raises(ParameterError) as error:
        PARAMETERS().with_overrides(overrides)
    return str(error.value)


def test_a_word_stands_once_in_the_tables():
    words = [word for table in (SYNONYMS.values(), (words for _, words in NOT_OFFERED.values())) for text in table
             for word in text.split()]  # fmt: skip
    assert sorted(words) == sorted(set(words))


def test_the_tables_point_to_what_there_is():
    for meant in [*SYNONYMS, *(nearest for nearest, _ in NOT_OFFERED.values())]:
        for name, value in re.findall(r"(?<![-\w])([a-z_]+)=(\w+)", meant):
            assert value in CHOICES[name] or isinstance(PARAMETERS.model_fields[name].default, bool), meant
    for meant in SYNONYMS:
        if re.fullmatch(r"\w+", meant):
            assert meant in CHOICES
    for words in [*SYNONYMS.values(), *(words for _, words in NOT_OFFERED.values())]:
        assert not set(words.split()) & set(CHOICES), "what there is needs no synonym"


@pytest.mark.parametrize("word", ABSENT)
def test_what_is_not_offered_is_named_as_a_parameter_and_as_a_value(word):
    for said in (refused(**{word: 0.9}), refused(**{word: "0.9"})):
        assert "is not offered" in said and "; did you mean" not in said
    if "_" not in word:
        assert f"{word!r} is not offered" in refused(strange_thing=word)
        for name in ("learning_rule", "nonlinearity", "dynamics", "learning_rate"):
            said = refused(**{name: word})
            assert f"'{word}' is not offered" in said and f"got {word!r}" in said


@pytest.mark.parametrize("word", CALLED)
def test_a_synonym_of_a_parameter_is_pointed_to(word):
    said = refused(**{word: "3"})
    assert "; did you mean" in said and CALLED[word] in said.partition("did you mean")[2]


@pytest.mark.parametrize(("name", "value"), VALUES)
def test_a_synonym_of_a_value_is_pointed_to_and_not_taken(name, value):
    assert VALUES[name, value] in refused(**{name: value}).partition("; did you mean")[2]


def test_a_name_that_a_protocol_has_of_its_own_is_not_taken_for_a_synonym():
    assert advice("hiden", ["hidden", "width"]) == "did you mean 'hidden'?"
    assert advice("lr", ["width"]) == "", "what this protocol has not is not pointed to"
    assert advice(5) == advice("") == advice("qqqqqq", ["width"]) == ""


@pytest.mark.parametrize(("word", "sentence"), [("gpu", "not offered (a GPU)"), ("jax", "not offered (a simulator)")])
def test_devices_that_are_not_there_are_named(word, sentence):
    with pytest.raises(DeviceError, match=re.escape(sentence)):
        check_device(word)


SIZES = {
    (64, 32): (64, 32, 10), (784, 32, 10): (64, 32, 10), (784, 32): (64, 32, 10), (32, 16): (64, 32, 16, 10),
    (10, 32, 64): (64, 32, 10), (100, 32, 10): (64, 32, 10), (64, 32, 16): (64, 32, 16, 10), (784, 10): (64, 10),
    (64, 11): (64, 11, 10), (3072, 1000, 500): (64, 1000, 500, 10),
}  # fmt: skip


@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_sizes_that_fit_are_proposed_with_every_hidden_population(sizes):
    assert fitting_sizes(sizes, 64, 10) == SIZES[sizes]
    with pytest.raises(ParameterError, match=f"set layer_sizes={','.join(map(str, SIZES[sizes]))}.$"):
        check_layer_sizes(sizes, 64, 10, "must fit")
    check_layer_sizes(SIZES[sizes], 64, 10, "must fit")


@pytest.mark.parametrize(("sizes", "fitting"), [((784, 48, 784), (64, 48, 64)), ((64, 48), (64, 48, 64))], ids=str)
def test_sizes_of_an_autoencoder(sizes, fitting):
    assert fitting_sizes(sizes, 64, 64) == fitting
