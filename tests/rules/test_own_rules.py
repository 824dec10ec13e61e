"""A learning rule of one's own: its numbers are parameters, its content is in names, and a run keeps it."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import cortex_model
from cortex_model.cli import app
from cortex_model.errors import CortexModelError, ParameterError, RuleError, RunError
from cortex_model.experiments.checking import check_rule, compared_with_oracle, parameters_for
from cortex_model.language import Learn, Number
from cortex_model.language.nonlinearities import NONLINEARITIES
from cortex_model.parameters import SleepWakeParameters
from cortex_model.protocol import load_protocol
from cortex_model.reference.hierarchy import interpreter_of
from cortex_model.rules import own, shipped
from cortex_model.runs.protocol import parameters_of
from cortex_model.runs.running import resume
from cortex_model.schedule.declared import program_structure
from cortex_model.sweeps.grid import asked_runs, checked_grid
from cortex_model.theory import NONLINEARITIES as OF_THEORY
from cortex_model.weights import initial_weights

PAGE = (Path(__file__).parents[2] / "protocols" / "README.md").read_text()
SIGNS, OJA = re.findall(r"```python\n(.*?)```", PAGE.split("## A learning rule of your own")[1], re.DOTALL)[:2]
TINY = load_protocol("wake_sleep_classification").tiny | {"layer_sizes": (64, 5, 10)}


@pytest.fixture
def write(tmp_path, monkeypatch):
    """(Text, name) -> the file; rows that it adds to tables are taken away again."""
    for table in (NONLINEARITIES, OF_THEORY):
        for name in table:
            monkeypatch.setitem(table, name, table[name])
    monkeypatch.setattr(own, "_KNOWN", {})
    before = set(NONLINEARITIES)

    def write(text=OJA, name="my_rule.py"):
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    yield write
    for table in (NONLINEARITIES, OF_THEORY):
        for name in set(table) - before:
            del table[name]


# ---------------------------------------------------------------------- parameters
def test_numbers_of_a_file_are_parameters(write):
    p = SleepWakeParameters(learning_rule=write())
    assert isinstance(p, SleepWakeParameters) and p.oja == 0.1 and p.rule.name == "oja"
    assert p.with_overrides({"oja": "0.3"}).rule_values["oja"] == 0.3
    assert SleepWakeParameters().with_overrides({"learning_rule": write(), "oja": 2}).oja == 2
    (row,) = [row for row in type(p).table() if row["name"] == "oja"]
    assert row["meaning"] == "weight of the term that bounds V" and row["range"] == "a number at least 0"
    with pytest.raises(ParameterError, match=r"^Parameters\.oja: must be a number at least 0 \(got -1\)"):
        SleepWakeParameters(learning_rule=write(), oja=-1)
    with pytest.raises(ParameterError, match=r"^Parameters\.ojja: must be the name of a parameter; did you mean 'oja'"):
        SleepWakeParameters(learning_rule=write(), ojja=1)
    with pytest.raises(ParameterError, match=r"^Parameters\.oja: must be the name of a parameter"):
        SleepWakeParameters(oja=1)


def test_numbers_of_shipped_rules_keep_the_default_of_a_protocol(write):
    class Mine(SleepWakeParameters):
        damping: float = 7.0

    assert Mine(learning_rule=write()).damping == 7.0
    changed = OJA.replace('"oja": Number(0.1', '"damping": Number(3.0, "other", at_least=0), "oja": Number(0.1')
    assert Mine(learning_rule=write(changed)).damping == 3.0


def test_a_number_that_a_rule_does_not_read_is_refused_where_it_is_asked_for():
    p = SleepWakeParameters(learning_rule="random_feedback", damping=1.0)
    sentence = r"^Parameters\.damping: must be left out where learning_rule is random_feedback \(got 1\), for only "
    with pytest.raises(ParameterError, match=sentence):
        p.check_asked({"damping"})
    p.check_asked({"learning_rate"})


def test_the_content_of_a_file_is_in_the_hash_and_its_folder_is_not(write, tmp_path):
    first = SleepWakeParameters(learning_rule=write())
    (tmp_path / "elsewhere").mkdir()
    same = SleepWakeParameters(learning_rule=write(name="elsewhere/my_rule.py"))
    assert same.learning_rule != first.learning_rule and same.content_hash == first.content_hash
    other = SleepWakeParameters(learning_rule=write(OJA + "\n# changed\n"))
    assert other.content_hash != first.content_hash
    assert own.own_rule(first.learning_rule).rule == own.own_rule(other.learning_rule).rule


def test_a_file_that_has_changed_is_not_taken_for_the_one_that_was(write):
    name = SleepWakeParameters(learning_rule=write()).learning_rule
    own._KNOWN.clear()
    write(OJA + "\n# changed\n")
    with pytest.raises(ParameterError, match="must be what it was, of the hash"):
        SleepWakeParameters(learning_rule=name)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("RULE = 3", r"must define RULE, a cortex_model\.language\.Rule \(got 3\)"),
        ("import nothing_like_it", "No module named 'nothing_like_it'"),
        ("RULE = (", "was never closed"),
        (OJA.replace("up_pre*up_pre", "upp_pre*up_pre"), "upp"),
        (OJA.replace("def ORACLE(", "ORACLE = 3\ndef other("), r"ORACLE must be a function \(got 3\)"),
        (OJA + "NONLINEARITY = ('relu(drive)', '1')\n", "NONLINEARITY must be of .*'relu'"),
        (OJA + "NONLINEARITY = 'tanh(drive)'\n", "NONLINEARITY must be two strings"),
    ],
)
def test_a_file_that_is_no_rule_gets_one_sentence(write, text, sentence):
    with pytest.raises(CortexModelError, match=sentence) as refused:
        SleepWakeParameters(learning_rule=write(text))
    assert "my_rule.py" in str(refused.value) or "upp" in sentence
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there():
    with pytest.raises(RuleError, match=r"^learning_rule: must be a file that is there \(got 'no\.py'\)"):
        SleepWakeParameters(learning_rule="no.py")


def test_a_nonlinearity_of_ones_own_comes_with_the_file(write):
    row = ("drive/(1 + abs(drive))", "1/(1 + abs(drive))/(1 + abs(drive))")
    p = SleepWakeParameters(learning_rule=write(f"{OJA}\nNONLINEARITY = {row!r}\n"))
    assert p.nonlinearity.startswith("my_rule_") and NONLINEARITIES[p.nonlinearity].rate == "drive/(1 + abs(drive))"
    drive = np.array([-2.0, 0.0, 3.0])
    np.testing.assert_allclose(OF_THEORY[p.nonlinearity].rate(drive), drive / (1 + np.abs(drive)))
    np.testing.assert_allclose(OF_THEORY[p.nonlinearity].slope(drive), 1 / (1 + np.abs(drive)) ** 2)
    assert p.with_overrides({"nonlinearity": "tanh"}).nonlinearity == "tanh"
    interpreter = started(p.with_overrides({"layer_sizes": (3, 2, 2)}))
    hidden = interpreter.present("evaluation", np.ones(3))[1]
    np.testing.assert_allclose(hidden["rate"], hidden["basal_drive"] / (1 + np.abs(hidden["basal_drive"])))


def started(p):
    return interpreter_of(p, initial_weights(p, 0), noise_seed=1)


def test_its_numbers_can_be_swept(write):
    model = SleepWakeParameters.of_rules([write()])
    grid = checked_grid(model, {"oja": "0.1,0.3"}, {"learning_rule"})
    asked = asked_runs(model, grid, {"learning_rule": write()}, [0, 1])
    assert [(each.parameters.oja, each.seed) for each in asked] == [(0.1, 0), (0.1, 1), (0.3, 0), (0.3, 1)]
    assert len({str(program_structure(each.parameters)) for each in asked}) == 1


# ---------------------------------------------------------------------- what the examples do
def test_the_examples_are_short():
    assert len(SIGNS.strip().split("\n")) <= 25 and len(OJA.strip().split("\n")) <= 25


def test_signs_of_the_feedback_follow_the_forward_weights(write):
    p = SleepWakeParameters(learning_rule=write(SIGNS), layer_sizes=(3, 4, 2), signs_every_presentations=2)
    interpreter = started(p)
    before = interpreter.weights["V", 2].copy()
    interpreter.present("wake", np.ones(3), np.array([1.0, 0.0]))
    V, W = interpreter.weights["V", 2], interpreter.weights["W", 2]
    assert not np.array_equal(V, before)
    np.testing.assert_array_equal(np.abs(V), np.abs(before))
    assert (np.sign(V) == np.sign(W.T)).mean() > 0.7, "W has learned once since"


def test_the_term_of_oja_bounds_feedback(write):
    p = SleepWakeParameters(learning_rule=write(), layer_sizes=(3, 4, 2), sleep_learning_rate=0.02)
    weak, strong = (started(p.with_overrides({"oja": oja})) for oja in (0.0, 2.0))
    for each in (weak, strong):
        for at in range(400):
            each.present("sleep", at=at)
    assert np.linalg.norm(strong.weights["V", 2]) < 0.7 * np.linalg.norm(weak.weights["V", 2])


# ---------------------------------------------------------------------- check
def test_check_finds_that_all_is_well(write):
    found = {each.claim: each for each in check_rule(write())}
    assert [each.holds for each in found.values()] == [True] * 5
    in_spikes = "in spikes, Brian2 equals the declaration"
    assert found[in_spikes].verdict == "not checked"
    assert found[in_spikes].said.endswith("the rule has no Rule.in_spikes of the name oja_spiking")
    assert all(found[claim].difference < 1e-12 for claim in found if claim not in ("sound", in_spikes))
    assert found["Brian2 equals the declaration"].said == "all weights changed"


IN_SPIKES = """
from dataclasses import replace
from cortex_model.language import Learn
from cortex_model.rules.random_feedback import RULE as RANDOM_FEEDBACK
from cortex_model.rules.spikes import in_spikes
TWICE = Learn("b", "-top_learning_rate", "2*plasticity_post*feedback_impulse_post", levels="L..L",
             on="feedback_spike_post", name="top_bias_update")
RULE = replace(RANDOM_FEEDBACK, name="mine")
RULE = replace(RULE, in_spikes=in_spikes(RULE).replacing(top_bias_update=TWICE))
"""


def test_check_takes_numbers_that_a_rule_has_in_spikes_alone(write):
    done = CliRunner().invoke(app, ["check", write(IN_SPIKES), "--set", "membrane_ms=7", "--set", "layer_sizes=4,3,2"])
    assert done.exit_code == 0, done.output
    assert re.search(r"number in spikes +value", done.output) and re.search(r"membrane_ms +7 ", done.output)
    assert re.search(r"in spikes, Brian2 equals the declaration: yes", done.output)


def test_a_rule_in_spikes_of_another_name_is_asked_for_by_its_name(write):
    own = write(IN_SPIKES + 'RULE = replace(RULE, name="other")')
    with pytest.raises(ParameterError, match=r"for other, .* or declare Rule\.in_spikes, of the name other_spiking\.$"):
        SleepWakeParameters(learning_rule=own, dynamics="spiking")


def test_check_finds_an_oracle_that_says_something_else(write):
    wrong = write(OJA.replace("- numbers", "+ numbers"))
    last = list(check_rule(wrong))[-1]
    assert last.claim == "the oracle equals the declaration" and not last.holds and last.verdict.startswith("NO")


@pytest.mark.parametrize(
    ("returned", "sentence"),
    [
        ("3", r"ORACLE must return a dictionary of W_1, .* \(got 3\)"),
        ("{'W_9': weights['W_1']}", "ORACLE must return a dictionary of W_1, "),
        ("{'b_1': weights['b_1'][:, None]}", r"ORACLE must return the weights .* Weights\.b_1: must have shape \(5,\)"),
        (
            "{'W_1': weights['W_1'] + float('nan')}",
            r"ORACLE must return the weights .* Weights\.W_1: must hold numbers",
        ),
        ("{'W_1': 'one'}", "ORACLE must return the weights of this hierarchy"),
    ],
)
def test_what_an_oracle_returns_is_checked(write, returned, sentence):
    text = OJA.split("def ORACLE")[0] + f"def ORACLE(phase, weights, *given):\n    return {returned}\n"
    with pytest.raises(RuleError, match=sentence) as refused:
        compared_with_oracle(parameters_for(write(text)))
    assert "my_rule.py: " in str(refused.value)


def test_an_oracle_may_change_the_weights_that_it_is_given(write):
    """It gets copies: what it does to them changes neither the declaration's weights nor what is compared."""
    oracle = "def ORACLE(phase, weights, *given):\n    weights['W_1'][...] = 0\n    return {}\n"
    p = parameters_for(write(OJA.split("def ORACLE")[0] + oracle), learning_rate=0, sleep_learning_rate=0)
    assert compared_with_oracle(p).difference == 0


def test_check_prints_what_happens_line_by_line(write):
    done = CliRunner().invoke(app, ["check", write(), "--set", "oja=0.3", "--set", "layer_sizes=4,3,2"])
    assert done.exit_code == 0, done.output
    for part in ("oja", "0.3", "wake: what happens", "rate = stimulus", "sleep: what happens", "sound: yes",
                 "Brian2 equals the declaration: yes", "the oracle equals the declaration: yes"):  # fmt: skip
        assert part in done.output, part


# ---------------------------------------------------------------------- runs
def test_a_run_keeps_the_rule_and_resumes_with_it(write, tmp_path):
    given = {"device": "runtime", "out": str(tmp_path / "runs"), **TINY}
    run = cortex_model.run("wake_sleep_classification", learning_rule=write(), oja=0.2, **given)
    assert (run.path / "learning_rule" / "my_rule.py").read_text() == OJA
    write("RULE = None")
    own._KNOWN.clear()
    assert parameters_of(run).oja == 0.2, "the copy is read, and not the file"
    before = run.summary()["weights_sha256"]
    run.clear()
    own._KNOWN.clear()
    assert resume(run.path)["weights_sha256"] == before
    (run.path / "learning_rule" / "my_rule.py").write_text(OJA.replace("- oja", "+ oja"))
    with pytest.raises(RunError, match=r"learning_rule/my_rule\.py: must be what the run began with"):
        resume(run.path)


def test_a_rule_that_was_made_in_python_is_written_down(write, tmp_path, monkeypatch):
    monkeypatch.setenv("CORTEX_MODEL_CACHE", str(tmp_path / "cache"))
    rule = replace(
        shipped()["reciprocal"].replacing(
            feedback_update=Learn("V", "sleep_learning_rate", "difference_post*up_pre - fade*weight", name="faded")
        ),
        name="fading",
        numbers=shipped()["reciprocal"].numbers | {"fade": Number(0.2, "decay", at_least=0)},
    )
    p = SleepWakeParameters(learning_rule=rule)
    assert p.fade == 0.2 and "fading.py#" in p.learning_rule
    again = own.own_rule(p.learning_rule).rule
    assert again == rule and again.content_hash == rule.content_hash
    assert SleepWakeParameters(learning_rule=rule).learning_rule == p.learning_rule
