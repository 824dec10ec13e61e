"""A rule of one's own, from a file."""

import re
import textwrap

import numpy as np
import pytest

from cortex_model.errors import RuleError
from cortex_model.language import PlacedRule
from cortex_model.language.options import configured
from cortex_model.reference.interpreter import Interpreter
from cortex_model.rules import shipped
from cortex_model.rules.own import is_own, named, own_rule, short

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
    loaded = own_rule(named(write(OJA)))
    assert loaded.rule.name == "oja" and loaded.oracle(3) == 3
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
    "no Python": ("\n\nRULE = (", r"line 3: must be Python .*SyntaxError"),
    "an error": ("import math\nRULE = math.sqrt(-1)", r"line 2: must run .*ValueError"),
    "an unknown import": ("from cortex_model.language import Lern", r"line 1: must run .*ImportError"),
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
        named(write(text))
    assert "; " in str(refused.value) and "(got " in str(refused.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(RuleError, match="must be a file that is there"):
        named(tmp_path / "nothing.py")


def test_a_name_holds_the_content_of_the_file(write):
    path = write(OJA)
    name = named(path)
    assert re.fullmatch(r"my_rule\.py#[0-9a-f]{12}", short(name)) and name.startswith(str(path))
    assert named(path) == named(name) == name
    path.write_text(OJA.replace("0.1", "0.2"))
    assert own_rule(name).rule.numbers["oja"].default == 0.1, "what is known stays what it was"
    other = named(path)
    assert other != name and own_rule(other).rule.numbers["oja"].default == 0.2
    with pytest.raises(RuleError, match=r"must be what it was, of the hash 0123 \(got [0-9a-f]{12}\)"):
        named(f"{path}#0123")


def test_a_rule_made_in_python_is_written_where_others_can_read_it(write):
    rule = shipped()["kolen_pollack"]
    name = named(rule)
    assert own_rule(name).rule == rule and named(rule) == name
    assert short(name).startswith("kolen_pollack.py#")


@pytest.mark.parametrize(
    ("value", "expected"), [("reciprocal", False), ("my_rule.py", True), ("a/my_rule.py#0123", True)]
)
def test_a_value_is_a_file_or_a_shipped_rule(value, expected):
    assert is_own(value) == expected
    assert short(value) == value.removeprefix("a/")
