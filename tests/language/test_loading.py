"""A rule of one's own, from a file."""

import re
import textwrap

import numpy as np
import pytest

from cortex_model.errors import RuleError
from cortex_model.language import PlacedRule
from cortex_model.language.loading import load_rule
from cortex_model.language.options import configured
from cortex_model.reference.interpreter import Interpreter

OJA = '''
"""feedback_update with an Oja-like term: what is sent down again keeps weights small."""
from dataclasses import replace

from cortex_model.language import Learn, Number
from cortex_model.rules.reciprocal import RULE as RECIPROCAL

RULE = replace(
    RECIPROCAL.replacing(
        feedback_update=Learn("V", "sleep_learning_rate", "difference_post*up_pre - oja*up_pre*up_pre*weight")
    ),
    name="oja",
    numbers={n: v for n, v in RECIPROCAL.numbers.items()} | {"oja": Number(0.1, "weight of the term", at_least=0)},
)
NONLINEARITY = ("drive/(1 + abs(drive))", "1/((1 + abs(drive))*(1 + abs(drive)))")


def ORACLE(weights):
    return weights
'''


@pytest.fixture
def write(tmp_path):
    def write(text, name="my_rule.py"):
        path = tmp_path / name
        path.write_text(textwrap.dedent(text))
        return path

    return write


def test_a_file_declares_a_rule_a_nonlinearity_and_an_oracle(write, starting_weights):
    loaded = load_rule(write(OJA))
    assert loaded.rule.name == "oja" and loaded.oracle(3) == 3
    assert loaded.source == OJA and len(loaded.sha256) == 64
    sizes = (5, 4, 3)
    placed = PlacedRule(configured(loaded.rule, nonlinearity=loaded.nonlinearity), sizes)
    weights = starting_weights(placed.places, sizes)
    changed = []
    for oja in (0.0, 0.5):
        interpreter = Interpreter(placed, weights, placed.rule.values({"oja": oja, "sleep_learning_rate": 0.1}))
        up = interpreter.present("sleep")[2]["up"][0]
        changed.append(interpreter.weights["V", 2])
    np.testing.assert_allclose(changed[0] - changed[1], 0.05 * weights["V", 2] * up**2, rtol=1e-12)
    rates = Interpreter(placed, weights, placed.rule.values()).present("evaluation", np.ones(5), np.zeros(3))[1]
    np.testing.assert_allclose(rates["rate"], rates["basal_drive"] / (1 + np.abs(rates["basal_drive"])))


WRONG = {
    "no rule": ("RULE = None", "must define RULE"),
    "something else": ("RULE = {'name': 'mine'}", "must define RULE"),
    "no Python": ("\n\nRULE = (", "SyntaxError in line 3"),
    "an error": ("import math\nRULE = math.sqrt(-1)", "ValueError in line 2"),
    "an unknown import": ("from cortex_model.language import Lern", "ImportError in line 1"),
    "no function": (OJA + "\nORACLE = 3", "ORACLE must be a function"),
    "no pair": (OJA + "\nNONLINEARITY = 'tanh'", "NONLINEARITY must be two strings"),
    "a rate of something else": (OJA + "\nNONLINEARITY = ('tanh(x)', '1')", "must be of drive.*'x'"),
    "a slope by an unknown function": (OJA + "\nNONLINEARITY = ('drive', 'relu(drive)')", "'relu'"),
    "an unsound rule": (OJA.replace("oja*up_pre*up_pre*weight", "oya*weight"), "got 'oya'"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_with_a_file_is_said(write, what):
    text, sentence = WRONG[what]
    with pytest.raises(RuleError, match=re.compile(sentence, re.DOTALL)) as refused:
        load_rule(write(text))
    assert "; " in str(refused.value) and "(got " in str(refused.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(RuleError, match="must be a file that is there"):
        load_rule(tmp_path / "nothing.py")
