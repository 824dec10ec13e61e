"""The sentences of the results page say what the CSVs beside the figures say."""

import re
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest

from cortex_model.analysis.learning_curves import mean_and_interval
from cortex_model.experiments.reproduce import RunRequest, figure_folder
from cortex_model.experiments.tables import read_rows
from cortex_model.system.sources import load_module

PAGE = (figure_folder() / "README.md").read_text()
README = (Path(__file__).parents[2] / "README.md").read_text()
KEPT = sorted((figure_folder() / "experiments").glob("*_table.csv"))
OWN, SHARED = "own rate 0.3", "rate 0.1"


def flat(text):
    """Text in one line, without emphasis."""
    return re.sub(r"\s+", " ", text.replace("**", ""))


def number(text):
    try:
        return float(text)
    except ValueError:
        return text


class Table(dict):
    """Arm -> its row of a table, with numbers."""

    def __init__(self, name):
        rows = read_rows(figure_folder() / "experiments" / f"{name}_table.csv")
        super().__init__({row["arm"]: {key: number(value) for key, value in row.items()} for row in rows})

    def error(self, arm):
        return self[arm]["error"]

    def wake(self, arm, level=10):
        return self[arm][f"wake_to_{level}"]

    def share(self, arm, other, level=10):
        """Presentations to a level in percent of those of another arm."""
        return 100 * self.wake(arm, level) / self.wake(other, level)

    def share_interval(self, arm, other, level=10):
        """Its interval, by propagation of both relative errors."""
        halves = [
            (self[each][f"wake_to_{level}_high"] - self[each][f"wake_to_{level}_low"]) / 2 / self.wake(each, level)
            for each in (arm, other)
        ]
        spread = np.exp(np.hypot(*halves))
        return "[{:.0f}, {:.0f}]".format(*(self.share(arm, other, level) * np.array([1 / spread, spread])))

    def interval(self, arm, level=10):
        return "[{low:,.0f}, {high:,.0f}]".format(
            low=self[arm][f"wake_to_{level}_low"], high=self[arm][f"wake_to_{level}_high"]
        )

    def overlap(self, one, other, column="error"):
        """Whether the intervals of two arms overlap."""
        low, high = ("low", "high") if column == "error" else (f"{column}_low", f"{column}_high")
        return self[one][low] <= self[other][high] and self[other][low] <= self[one][high]


def table(name):
    return Table(name)


# ---------------------------------------------------------------------- all rules
def test_sentences_on_all_rules_hold_the_numbers_of_the_csv():
    rows = read_rows(figure_folder() / "all_rules_mnist.csv")
    its = {(row["rule"], row["network"]): {k: number(v) for k, v in row.items()} for row in rows}
    first, deep = "784-256-256-10", "authors' network"
    inferred, backpropagation = "predictive coding, V follows W", "backpropagation"
    errors = [its[rule, first]["error"] for rule in (inferred, "target propagation", backpropagation)]
    assert "errors of {:.2f} and {:.2f} % beside backpropagation's {:.2f} in".format(*errors) in flat(PAGE)
    assert errors[0] - errors[2] <= 0.3 and errors[1] <= 3.6 and errors[1] - errors[2] <= 0.4
    needed = [its[rule, first]["presentations"] for rule in (inferred, backpropagation)]
    assert "as backpropagation, {:,.0f} and {:,.0f}".format(*needed) in flat(PAGE)
    paid = [its[inferred, net]["operations"] / its[backpropagation, net]["operations"] for net in (first, deep)]
    assert "{:.1f} times its operations ({:.1f} times in the authors' network".format(*paid) in flat(PAGE)
    asleep = [its[f"predictive coding, sleep, {which}", first]["error"] for which in ("damping 10", "bare")]
    assert f"the error is {asleep[0]:.2f} %" in flat(PAGE) and f"it is {asleep[1]:.2f} %" in flat(PAGE)
    assert {row["seeds"] for row in rows} == {"3"} and len(rows) == 32


def test_sentences_on_errors_in_time_hold_the_numbers_of_the_csv():
    rows = [row for row in read_rows(figure_folder() / "predictive_coding_mnist.csv") if row["line"] == "mean"]
    last = {row["quantity"]: row for row in rows}

    def ratio(form):
        low, top = (float(last[f"rms error, {form}, {level}"]["value"]) for level in ("population 1", "top"))
        return low / top

    asleep = "V learns in sleep, damping 0"
    said = f"{ratio('V follows W'):.2f} where V follows W and {ratio(asleep):.3f} where V is the bare pseudoinverse"
    assert said in flat(PAGE)
    errors = [last[f"test error (%), {form}"] for form in (asleep, "V follows W", "V learns by the same product")]
    texts = ["{:.2f} [{:.2f}, {:.2f}]".format(*(float(row[k]) for k in ("value", "low", "high"))) for row in errors]
    assert all(text in flat(PAGE) for text in texts)


# ---------------------------------------------------------------------- totals
@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_totals_are_the_sleep_beforehand_and_what_wake_and_sleep_add(path):
    name, dataset = path.stem.removesuffix("_table").rsplit("_", 1)
    experiment = load_module(figure_folder() / "experiments" / f"{name}.py").EXPERIMENT
    arms = {arm.name: arm for arm in experiment.of(dataset)}
    for row in read_rows(path):
        assert row["seeds"] == "1" or float(row["low"]) >= 0
        p = RunRequest(experiment.protocol, arms[row["arm"]].setting, 0).parameters().model_dump()
        sleeps = int(row.get("sleep_half_cycles", 0)) > 0
        before, ratio = (p["sleep_before_presentations"], p["sleep_per_wake"]) if sleeps else (0, 0)
        for level in [key.removeprefix("reach_") for key in row if key.startswith("reach_")]:
            if row[f"wake_to_{level}"]:
                wake, total = int(row[f"wake_to_{level}"]), int(row[f"total_to_{level}"])
                assert total == pytest.approx(before + (1 + ratio) * wake, abs=2), (row["arm"], level)
                assert not row[f"wake_to_{level}_low"] or int(row[f"wake_to_{level}_low"]) >= 0
        if "first_evaluation" in row:
            first = int(row["first_evaluation"])
            assert first == (p.get("evaluate_early_every_presentations") or p["evaluate_every_presentations"])
            assert int(row["first_evaluation_total"]) == pytest.approx(before + (1 + ratio) * first)


# ---------------------------------------------------------------------- sentences
def of_fig_2b():
    t, every = table("published_mnist"), table("surpassed_authors_net_mnist")
    lines = "random feedback", "reciprocal, damping 10", "reciprocal, bare"
    random, damped, bare = (f"{line}, {SHARED}" for line in lines)
    matched, backpropagation = f"reciprocal, bare, matched gain, {SHARED}", f"backpropagation, {SHARED}"
    own = f"random feedback, {OWN}"
    cifar = table("published_cifar10")
    first, last = cifar.error("backpropagation, rate 0.03"), "reciprocal, damping 10"
    return [
        f"damped reciprocal feedback takes {t.share(damped, random):.0f} % {t.share_interval(damped, random)}",
        f"the bare pseudoinverse {t.share(matched, random):.0f} % {t.share_interval(matched, random)} where",
        f"the bare pseudoinverse takes {t.share(bare, random):.0f} %, and ends above random feedback "
        f"({t.error(bare):.2f} and {t.error(random):.2f} %)",
        f"takes {every.wake('exact pseudoinverse, rate 0.1'):,.0f} presentations at this rate where the learned one "
        f"takes {t.wake(bare):,.0f}",
        f"damped feedback takes {t[damped]['total_to_10'] / t[random]['total_to_10']:.1f} times as many as random",
        f"backpropagation takes {t.share(backpropagation, own):.0f} % {t.share_interval(backpropagation, own)}",
        f"damped feedback {t.share(damped, own):.0f} %, so that less than half",
        f"the bare pseudoinverse ends at {t.error('reciprocal, bare, own rate 0.6'):.2f} %, between random feedback "
        f"({t.error(own):.2f} %, intervals overlapping) and backpropagation ({t.error(backpropagation):.2f} %)",
        f"ends {cifar.error(f'{last}, rate 0.03') - first:.1f} points above backpropagation at the shared rate, and "
        f"{cifar.error(f'{last}, own rate 0.1') - first:.1f} points above it at a rate of 0.1",
        f"reaches 3 % after {every.wake('random feedback, rate 0.3', 3):,.0f} presentations in "
        f"{every['random feedback, rate 0.3']['reach_3']:.0f} of 5 seeds within five epochs, and after "
        f"{t.wake(own, 3):,.0f} in {t[own]['reach_3']:.0f} of 5 within eight",
    ]  # fmt: skip


def of_all_rules():
    deep, swept, t, fig = (
        table(f"{name}_mnist") for name in ("surpassed", "damping", "surpassed_authors_net", "published")
    )
    to_transpose = "alignment_angle_to_transpose_degrees"
    angles = [deep[f"reciprocal, damping {d}"][to_transpose] for d in (10, 30, 1)]
    matched, best = "reciprocal, bare, matched gain, rate 0.1", "backpropagation, rate 0.1"
    ways = [
        100 * (bare - its.error(matched)) / (bare - its.error(best))
        for bare, its in ((swept.error("bare"), t), (fig.error("reciprocal, bare, rate 0.1"), fig))
    ]
    by = {line.split(", rate")[0]: line for line in t}
    return [
        "the angle of V to Wᵀ is {:.1f} degrees with damping 10, {:.1f} with 30 and {:.1f} with 1".format(*angles),
        f"with V still at {t[matched]['alignment_angle_to_pseudoinverse_degrees']:.0f} degrees from W⁺, takes it from "
        f"{swept.error('bare'):.2f} to {t.error(matched):.2f} % in five epochs, {ways[0]:.0f} % of the way to "
        f"backpropagation's {t.error(best):.2f} %, and from {fig.error('reciprocal, bare, rate 0.1'):.2f} to "
        f"{fig.error(matched):.2f} % in eight, {ways[1]:.0f} % of the way to {fig.error(best):.2f} %",
        f"With damping 1 it brings {swept.error('reciprocal feedback, damping 1'):.2f} to "
        f"{table('sleep_budget_mnist').error('damping 1, matched gain, after sleep, sleep per wake 1'):.2f} %",
        f"pseudoinverse leaves {deep.error('exact pseudoinverse'):.2f} % here",
        f"falls from {swept.error('reciprocal feedback, damping 0.1'):.2f} % to "
        f"{swept.error('reciprocal feedback, damping 10'):.2f} %, which is backpropagation's "
        f"{swept.error('backpropagation'):.2f} %",
        f"to {swept['reciprocal feedback, damping 100'][to_transpose]:.0f} degrees at 100, and the mean error to "
        f"{swept.error('reciprocal feedback, damping 100'):.2f} %",
        f"direct feedback is {t.error(by['direct feedback']) - t.error(best):.1f} points above it, the bare "
        f"pseudoinverse {t.error(by['reciprocal, bare']) - t.error(best):.1f}",
        f"slowest to 90 % ({t.wake(by['Kolen-Pollack']):,.0f} presentations, random feedback "
        f"{t.wake(by['random feedback']):,.0f})",
        f"at the shared rate of 0.1 ({t.error(matched):.2f} %) as it does without at 0.6 "
        f"({t.error(by['reciprocal, bare']):.2f} %)",
        f"highest error, {t.error(by['exact pseudoinverse']):.2f} %",
        f"which leaves {swept.error('bare'):.2f} % at 0.1",
        f"from {fig.wake(best):,.0f} to {t.wake(best):,.0f} presentations under backpropagation, and from "
        f"{fig.wake(f'random feedback, {OWN}'):,.0f} to {t.wake(by['random feedback']):,.0f} under random feedback",
    ]  # fmt: skip


def of_an_orthogonal_start():
    t, random = table("low_condition_mnist"), "random feedback"
    one = "reciprocal, damping 1"
    return [
        f"({t.wake('reciprocal, bare'):,.0f} and {t.wake('backpropagation'):,.0f} presentations), with "
        f"{t.share('reciprocal, bare', random):.0f} % of the wake presentations that random feedback takes; it ends at "
        f"{t.error('reciprocal, bare'):.2f} %, near random feedback's {t.error(random):.2f} % and not near "
        f"backpropagation's {t.error('backpropagation'):.2f} %",
        f"than to Wᵀ and ends at {t.error(one):.2f} %",
        f"it takes {t.share(one, random):.0f} % {t.share_interval(one, random)} of random feedback's presentations, "
        f"backpropagation {t.share('backpropagation', random):.0f} % {t.share_interval('backpropagation', random)}",
    ]  # fmt: skip


def of_sleep():
    t, forward, disturbed = (table(f"{name}_mnist") for name in ("sleep_budget", "forward_sleep", "convergence"))
    fresh, after = "interleaved, from random V, sleep per wake ", "interleaved, after sleep, sleep per wake "
    matched, damped = "damping 1, matched gain, after sleep, sleep per wake ", "reciprocal, damping 10, "
    held, little, much = (forward[damped + end] for end in ("W held", "eta_f 0.0001", "eta_f 0.001"))
    plus, still = "alignment_angle_to_pseudoinverse_degrees", disturbed.error("undisturbed")
    blocks = [t.error(arm) for arm in t if arm.startswith("in blocks")]
    gone = [row["forward_drift"] for arm, row in table("condition_noise").items() if arm.startswith("V and W")]
    no_sleep, first, all_of_it = t.error("no sleep"), t.error("sleep before wake alone"), t.error(after + "1")
    assert (no_sleep - first) / (no_sleep - all_of_it) == pytest.approx(2 / 3, abs=0.01)
    return [
        f"ten are no better ({t.error(fresh + '1'):.2f} and {t.error(fresh + '10'):.2f} % from a random V)",
        f"a hundredth after a long sleep beforehand {t.error(after + '0.01') - all_of_it:.2f} with damping 10",
        f"{t.error(matched + '0.01') - t.error(matched + '1'):.2f} with damping 1 and the gain matched in wake",
        f"leaves V {t['sleep before wake alone']['alignment_angle_to_fixed_point_degrees']:.0f} degrees off",
        f"(from {no_sleep:.2f} to {first:.2f}, with sleep in wake {all_of_it:.2f} %)",
        f"as rare as one an epoch: {min(blocks):.2f} to {max(blocks):.2f} %",
        f"(damping 10: from {held['condition_number']:.1f} to {little['condition_number']:.1f} at 1e-4)",
        f"(from {held[plus]:.1f} to {little[plus]:.1f} degrees)",
        f"damped feedback loses {much['error'] - held['error']:.2f} points, and W ends {much['forward_drift']:.2f} "
        f"instead of {held['forward_drift']:.2f}",
        f"within 0.1 points of {still:.2f} %",
        f"within {disturbed.error('rounded, levels 3') - still:.2f} points with V rounded",
        f"as large as W costs {disturbed.error('noise, noise 1') - still:.1f} points",
        f"W ends {100 * min(gone):.0f} to {100 * max(gone):.0f} % of its norm away",
    ]  # fmt: skip


def of_presentations_that_take_time():
    t = table("leaky_mnist")

    def lost(line, n):
        return t.error(f"{line}, {n} time constants") - t.error(f"{line}, settled")

    def lists(line):
        return "{:.1f}, {:.1f} and {:.1f}".format(*(lost(line, n) for n in (4, 3, 2)))

    lines = "backpropagation", "reciprocal, damping 10", "random feedback"
    for n in (2, 3, 4):
        assert lost(lines[0], n) < min(lost(lines[1], n), lost(lines[2], n))
    ratios = [t.error(f"{line}, 3 time constants") / t.error(f"{line}, settled") for line in lines]
    off = [100 * t[f"{line}, 6 time constants"]["update_difference_from_settled"] for line in lines]
    settled = "alignment_angle_to_fixed_point_degrees"
    angles = [t[f"{lines[1]}, {end}"][settled] for end in ("6 time constants", "settled")]
    ten = [lost(line, 10) for line in lines]
    return [
        f"time constants {lists(lines[0])}, damped feedback {lists(lines[1])}, random feedback {lists(lines[2])}",
        "with 3, it is {:.1f}, {:.1f} and {:.1f}".format(*ratios),
        f"with 10, {min(ten):.1f} to {max(ten):.1f} points are lost",
        f"an update is {min(off):.0f} to {max(off):.0f} % off",
        "({:.1f} and {:.1f} degrees; the V of other rules".format(*angles),
    ]


def of_depth_and_width():
    deep, wide = table("depth_mnist"), table("width_mnist")
    eight = [f"{line}, hidden populations 8" for line in ("reciprocal, damping 10", "backpropagation")]

    def apart(t, one, other):
        return max(abs(t.error(arm) - t.error(arm.replace(one, other))) for arm in t if arm.startswith(one))

    damped, bare = "reciprocal, damping 10", "reciprocal, bare"
    for n in (1, 2, 4, 8):
        at = f"hidden populations {n}"
        assert deep.overlap(f"{damped}, {at}", f"backpropagation, {at}")
        assert deep.error(f"{bare}, {at}") >= deep.error(f"random feedback, {at}")
        is_ahead = deep.wake(f"{bare}, {at}") < deep.wake(f"random feedback, {at}")
        assert is_ahead == (n < 8), "with one, about the first evaluation"
        assert n == 8 or deep.overlap(f"{bare}, {at}", f"random feedback, {at}", "wake_to_10")
    within = [apart(deep, damped, "backpropagation"), apart(wide, damped, "backpropagation")]
    within.append(apart(wide, bare, "random feedback"))
    to_95 = [wide.wake(f"{line}, width 512", 5) for line in ("backpropagation", damped, "random feedback", bare)]
    return [
        f"within {np.ceil(10 * within[0]) / 10:.1f} points of backpropagation's at every depth, and the intervals "
        "overlap",
        f"it takes {deep.wake(eight[0]):,.0f} presentations {deep.interval(eight[0])} where backpropagation takes "
        f"{deep.wake(eight[1]):,.0f} {deep.interval(eight[1])}",
        f"within {np.ceil(10 * within[1]) / 10:.1f} points of backpropagation's at every width",
        f"within {within[2]:.1f} of random feedback's",
        f"at {wide['backpropagation, width 512']['first_evaluation']:,.0f}, which tells nothing",
        "{:,.0f} presentations under backpropagation, {:,.0f} with damping 10, {:,.0f} under random feedback and "
        "{:,.0f} for the bare one".format(*to_95),
    ]  # fmt: skip


def of_linear_and_newton_like():
    t, n = table("linear_mnist"), table("newton_like_mnist")
    bare, exact, random = "reciprocal, bare", "exact pseudoinverse", "random feedback"
    for level in (20, 10):
        assert t.overlap(exact, random, f"wake_to_{level}") and t.overlap(exact, bare, f"wake_to_{level}")
    half = t.share("random feedback, half as strong", exact, 20) / 100

    def best(line):
        return min(n.error(arm) for arm in n if arm.startswith(line))

    first = n.wake("backpropagation, rate 0.01", 60)
    times = [n.wake(f"reciprocal, damping {d}, rate 0.01", 60) / first for d in (1, 10)]
    assert {row["seeds"] for row in n.values()} == {1} and len({arm.split("rate ")[1] for arm in n}) == 2
    return [
        f"({t.error(bare):.2f} and {t.error(exact):.2f} %; {t.wake(bare, 20):,.0f} and {t.wake(exact, 20):,.0f} "
        "presentations to 80 %, intervals overlapping)",
        f"takes {t.share(random, exact, 20) - 100:.0f} % more presentations to 80 % than the computed pseudoinverse",
        f"it takes {half:.1f} times as many to 80 %",
        f"backpropagation leaves {best('backprop'):.1f} % of the variance unexplained, damping 10 "
        f"{best('reciprocal, damping 10'):.1f}, damping 1 {best('reciprocal, damping 1,'):.1f}, the exact "
        f"pseudoinverse {best(exact):.1f} and random feedback {best(random):.1f}",
        f"needs {n.share('exact pseudoinverse, rate 0.01', 'backpropagation, rate 0.01', 60) - 100:.0f} % more "
        f"presentations than backpropagation, and damping 1 and 10 {times[0]:.1f} and {times[1]:.1f} times as many",
    ]  # fmt: skip


@pytest.mark.parametrize("sentences", [
    of_fig_2b, of_all_rules, of_an_orthogonal_start, of_sleep, of_presentations_that_take_time, of_depth_and_width,
    of_linear_and_newton_like,
])  # fmt: skip
def test_sentences_hold_the_numbers_of_the_tables(sentences):
    page = flat(PAGE)
    for sentence in sentences():
        assert sentence in page


def test_what_the_page_says_without_numbers_holds():
    t = table("published_mnist")
    order = ["backpropagation", "reciprocal, damping 10", "reciprocal, bare, matched gain", "random feedback"]
    wakes = [t.wake(f"{line}, rate 0.1") for line in order]
    assert wakes == sorted(wakes)
    assert t.wake("reciprocal, bare, rate 0.1") < t.wake("random feedback, rate 0.1")
    assert t.overlap("reciprocal, bare, own rate 0.6", "random feedback, own rate 0.3")
    assert t.overlap("reciprocal, damping 10, rate 0.1", "backpropagation, rate 0.1", "wake_to_10")
    small = table("published_cifar10")
    order[2] = "reciprocal, bare"
    wakes = [small.wake(f"{line}, rate 0.03", 60) for line in order]
    assert wakes == sorted(wakes)
    assert small.overlap("reciprocal, bare, rate 0.03", "random feedback, rate 0.03", "wake_to_60")
    net = table("surpassed_authors_net_mnist")
    for line in ("reciprocal, damping 10", "weight mirror", "Kolen-Pollack"):
        assert abs(net.error(f"{line}, rate 0.1") - net.error("backpropagation, rate 0.1")) < 0.1
    assert max(net, key=net.error).startswith("exact")
    assert max(net, key=net.wake).startswith("Kolen")
    assert min(net.share(arm, "random feedback, rate 0.3") for arm in net) > 50
    deep = table("surpassed_mnist")
    for line in ("reciprocal, damping 10", "reciprocal, damping 30", "weight mirror", "Kolen-Pollack"):
        assert abs(deep.error(line) - deep.error("backpropagation")) < 0.1001
    cifar = table("surpassed_authors_net_cifar10")
    pairs = {
        (one.split(",")[0], other.split(",")[0])
        for one in cifar for other in cifar if cifar.error(one) < cifar.error(other) and not cifar.overlap(one, other)
    }  # fmt: skip
    assert pairs == {("backpropagation", "random feedback"), ("weight mirror", "random feedback")}


def test_the_orthogonal_start_has_the_lowest_error_of_a_v_that_is_nearer_to_the_pseudoinverse():
    errors = {}
    for path in [path for path in KEPT if "spikes" not in path.stem]:
        for arm, row in table(path.stem.removesuffix("_table")).items():
            angles = [row.get(f"alignment_angle_to_{to}_degrees", "") for to in ("pseudoinverse", "transpose")]
            if row["measure"] == "test_error_percent" and "" not in angles and angles[0] < angles[1]:
                errors[path.stem, arm] = row["error"]
    assert min(errors, key=errors.get) == ("low_condition_mnist_table", "reciprocal, damping 1")


# ---------------------------------------------------------------------- cortex and recall
def points(name, *keys):
    """Rows of a figure's CSV by some of its columns."""
    return {tuple(row[key] for key in keys): row for row in read_rows(figure_folder() / f"{name}.csv")}


def estimate(row, form):
    return "{} [{}, {}]".format(*(f"{float(row[key]):{form}}" for key in ("mean", "low", "high")))


def test_sentences_on_human_and_monkey_it_hold_the_numbers_of_its_csv():
    rows, page = points("cortical_rsa", "recording", "line", "row"), flat(PAGE)
    best = {
        recording: [
            max(float(rows[recording, line, f"population {k}"]["mean"]) for k in range(1, 5))
            for line in ("backpropagation", "random feedback", "reciprocal, bare", "reciprocal, damping 10")
        ]
        for recording in ("human_it", "monkey_it")
    }
    pixels = float(rows["monkey_it", "baseline", "pixels (the input)"]["mean"])
    assert max(best["monkey_it"]) < pixels
    human, monkey = (f"{min(its):.2f} to {max(its):.2f}" for its in best.values())
    assert f"rho {human} (untrained" in page and f"monkey IT {monkey} (untrained 0.12, pixels {pixels:.3f}," in page
    for (_, _, what), row in rows.items():
        if what.startswith("less") and "population" not in what:
            assert float(row["low"]) < 0 < float(row["high"])
    bare, damped = (rows["human_it", f"reciprocal, {its}", "less backpropagation"] for its in ("bare", "damping 10"))
    assert f"(bare {estimate(bare, '.4f')}, damping 10 {estimate(damped, '.4f')})" in page


def test_sentences_on_v4_hold_the_numbers_of_its_csv():
    rows, page = points("v4_predictivity", "line", "row"), flat(PAGE)
    lines = ("backpropagation", "random feedback", "reciprocal, bare", "reciprocal, damping 10")
    gains = [rows[line, "less untrained, population 1"] for line in lines]
    assert all(float(row["low"]) > 0 for row in gains)
    means = [float(row["mean"]) for row in gains]
    assert f"(by {min(means):.3f} to {max(means):.3f}, intervals without zero)" in page
    by_population = [[float(rows[line, f"population {k}"]["mean"]) for line in lines] for k in (1, 2, 3, 4)]
    assert max(max(its) - min(its) for its in by_population) == pytest.approx(0.03, abs=0.005)
    assert f"{max(by_population[2]):.3f} to {min(by_population[2]):.3f} in population 3" in page
    assert f"{by_population[3][0]:.3f} (backpropagation) to {by_population[3][3]:.3f} (damping 10)" in page
    damped = [rows[lines[3], f"less backpropagation{of}"] for of in ("", ", population 4", ", population 1")]
    assert f"{estimate(damped[0], '.4f')} averaged over populations" in page
    assert f"{estimate(damped[1], '.3f')} in population 4, but {estimate(damped[2], '.4f')} in population 1" in page
    assert f"{estimate(rows[lines[1], 'less backpropagation, population 3'], '.4f')} in population 3" in page


def test_sentences_on_dreams_hold_the_numbers_of_its_csv():
    rows, page = points("helmholtz_machine_digits", "panel", "curve", "x"), flat(PAGE)
    last = max((x for panel, _, x in rows if panel == "nats"), key=int)
    first = min((x for panel, _, x in rows if panel == "nats"), key=int)
    (level,) = {f"{float(row['y']):.2f}" for (panel, curve, _), row in rows.items()
                if (panel, curve) == ("nats", "independent pixels")}  # fmt: skip

    def said(row):
        return "{} [{}, {}]".format(*(f"{float(row[key]):.2f}" for key in ("y", "low", "high")))

    early = float(rows["nats", "free energy", first]["y"])
    assert f"the free energy, {early:.2f} nats an image, is still above the {level} of independent pixels" in page
    assert early > float(level)
    assert f"it ends at {said(rows['nats', 'free energy', last])}" in page
    assert f"log likelihood at {said(rows['nats', 'negative log likelihood', last])}" in page
    bits = {curve: row for (panel, curve, _), row in rows.items() if panel.startswith("bits")}
    others = [f"{float(bits[name]['y']):.2f}" for name in ("independent pixels", "images")]
    assert f"Dreams are {said(bits['dreams'])} bits from the nearest training image" in page
    assert "images of independent pixels {}, test images {}".format(*others) in page


def test_sentences_on_recall_hold_the_numbers_of_its_csv():
    rows, page = points("perception_and_recall_mnist_images", "panel", "curve", "x"), flat(PAGE)

    def explained(kind, curve, damping):
        return float(rows[f"{kind}_explained_variance, after sleep", curve, f"{damping:.1f}"]["y"])

    def listed(values):
        return "{}, {} and {}".format(", ".join(f"{v:.2f}" for v in values[:-2]), *(f"{v:.2f}" for v in values[-2:]))

    of_v = {d: [explained("reconstruction", f"V{k}", d) for k in (1, 2, 3, 4)] for d in (0, 1, 10, 100)}
    from_1 = [explained("recall", "population 1", d) for d in (0, 1, 10)]
    from_top = [explained("recall", "top", d) for d in (0, 1, 10)]
    assert f"explains {listed(from_1)} of the variance of the stimulus" in page
    assert "the top ({:.2f}, {:.2f}, {:.2f})".format(*from_top) in page
    assert all(explained("recall", f"population {k}", d) < 0 for k in (2, 3) for d in of_v) and max(of_v[100]) < 0
    assert f"V₁ to V₄ explain {listed(of_v[0])} at damping 0, {listed(of_v[10])} at damping 10" in page
    claim = points("perception_and_recall_mnist", "panel", "curve")["claims", "recall: category first"]
    n, of = int(claim["x"]), int(claim["seeds"])
    one_sided, two_sided = (binomtest(n, of, alternative=side).pvalue for side in ("greater", "two-sided"))
    assert one_sided == pytest.approx(float(claim["y"]))
    assert f"{n} of {of} (sign test, one-sided p = {one_sided:.2g}, two-sided {two_sided:.2g})" in page


def test_sentences_on_replay_hold_the_numbers_of_its_csv():
    rows, page = points("hippocampal_capacity", "panel", "line", "x"), flat(PAGE)
    own, cortical = "within CA3", "through CA1 and EC"
    for key in (("number", own, "75"), ("number", own, "100"), ("overlap", own, "1")):
        assert estimate(rows[key], ".2f") in page, key
    assert "100 patterns come back with 1.00" in page and float(rows["number", cortical, "100"]["low"]) > 0.995
    for key, mean in (
        (("number", cortical, "150"), 0.05),
        (("ring", own, "0.02"), 0.99),
        (("noise", own, "0.1"), 0.37),
    ):
        assert float(rows[key]["mean"]) == pytest.approx(mean, abs=0.005), key
    assert float(rows["ring", own, "0.05"]["decoded_percent"]) == pytest.approx(24, abs=0.5)
    of_ring = [row for row in read_rows(figure_folder() / "hippocampal_replay.csv") if row["panel"] in "EF"]
    for curve in (own, cortical, "backpropagation through time"):
        its = [row for row in of_ring if row["curve"] == curve]
        seeds = [np.mean([float(row["value"]) for row in its if row["seed"] == seed]) for seed in "01234"]
        assert "{:.3f} [{:.3f}, {:.3f}]".format(*mean_and_interval(np.array(seeds))) in page, curve
    (persistence,) = [float(row["value"]) for row in of_ring if row["curve"] == "persistence_loss"]
    for curve in ("prediction_loss", "backpropagation_loss"):
        last = [float(row["value"]) / persistence for row in of_ring if (row["curve"], row["x"]) == (curve, "200")]
        assert "{:.3f} [{:.3f}, {:.3f}]".format(*mean_and_interval(np.array(last))) in page, curve


# ---------------------------------------------------------------------- the README's figure
def test_the_caption_of_fig2b_holds_the_numbers_of_its_csv():
    rows, caption = points("fig2b", "measure", "curve", "wake_presentations"), flat(README).split("## Two commands")[0]
    last = str(max(int(at) for _, _, at in rows))
    lines = ("backpropagation", "reciprocal, damping 10", "random feedback", "reciprocal, bare pseudoinverse")
    errors = [rows["test_error_percent", line, last] for line in lines]
    assert max(float(row["low"]) for row in errors[:3]) < min(float(row["high"]) for row in errors[:3])
    assert float(errors[3]["low"]) < float(errors[2]["high"]) and float(errors[3]["mean"]) > float(errors[2]["mean"])
    for row in errors:
        assert estimate(row, ".1f") in caption
    to_transpose, to_pseudoinverse, to_fixed_point = (
        float(rows[f"alignment_angle_to_{of}_degrees", lines[1], last]["mean"])
        for of in ("transpose", "pseudoinverse", "fixed_point")
    )
    assert f"({to_transpose:.0f} degrees) than to the pseudoinverse ({to_pseudoinverse:.0f})" in caption
    assert f"still {to_fixed_point:.0f} degrees from where sleep would take it" in caption


def test_spikes():
    """Errors of the tables; the last angles and norms of sleep."""
    mnist, digits, depth = (Table(f"spikes_{name}") for name in ("mnist", "digits", "depth_digits"))
    said = flat(PAGE)
    ends = [mnist.error(rule) for rule in ("reciprocal, bare", "random feedback", "backpropagation")]
    assert f"All three rules end between {min(ends):.1f} and {max(ends):.1f} % in spikes" in said
    rates = [mnist.error(f"{rule}, rates") for rule in ("reciprocal, bare", "random feedback", "backpropagation")]
    assert "ends at {:.1f} (reciprocal, bare), {:.1f} (random feedback) and {:.1f} %".format(*rates) in said
    angle = mnist["reciprocal, bare"]["alignment_angle_to_pseudoinverse_degrees"]
    apart = mnist["backpropagation"]["alignment_angle_to_pseudoinverse_degrees"]
    assert f"V of the reciprocal rule is then {angle:.0f} degrees from W⁺" in said
    assert f"the two are {apart:.0f} degrees apart" in said
    ends = [digits.error(rule) for rule in ("reciprocal, bare", "random feedback", "backpropagation")]
    assert "ends at {:.1f} %, random feedback at {:.1f} and backpropagation at {:.1f}".format(*ends) in said
    ends = [depth.error(rule) for rule in ("reciprocal, bare", "random feedback", "backpropagation")]
    assert "({:.1f} and {:.1f} %), backpropagation at {:.1f}".format(*ends) in said
    first, damped = depth.error("reciprocal, sleeps first"), depth.error("reciprocal, damping 1")
    assert f"Sleep before the first stimulus brings {first:.1f} %" in said and f"({damped:.1f} % with 1)" in said
    few = Table("error_spikes_digits")
    tenth = [few[f"{rule}, rates x 0.1"] for rule in ("reciprocal, bare", "random feedback", "backpropagation")]
    ends = [row["error"] for row in tenth]
    assert f"the error is {min(ends):.0f} to {np.ceil(max(ends)):.0f} %" in said
    spikes = [few[f"reciprocal, bare, rates x {factor}"]["feedback_spikes_in_wake"] for factor in ("0.1", "0.3", "1")]
    assert "a fifth of the feedback spikes" in said and 4.5 < spikes[2] / spikes[1] < 5.5
    assert "one in six presentations" in said and 5.5 < 15 * 1437 / spikes[0] < 6.5
    asleep = Table("sleep_of_spikes_noise")
    steps = [asleep.error(f"time step x {factor}") for factor in ("0.5", "2", "1")]
    assert "0.5 ms brings it to {:.1f} degrees, one of 2 ms to {:.0f}, from {:.1f} at 1 ms".format(*steps) in said
    assert f"V stays {asleep.error('amplitude of the noise x 0.5'):.0f} degrees from W⁺" in said
    without = asleep["no term half way"]
    assert f"is better, {without['error']:.1f} degrees, and the norm {without['relative_norm']:.1f} times" in said
    last = {row["quantity"]: row for row in read_rows(figure_folder() / "spiking_sleep.csv")}
    shown = [
        [float(last[name][key]) for key in ("mean", "low", "high")] for name in ("V1 to W⁺", "V2 to W⁺", "V1", "V2")
    ]
    angles = "V_1 comes within {:.1f} degrees [{:.1f}, {:.1f}] of W⁺, V_2 within {:.1f} [{:.1f}, {:.1f}]"
    assert angles.format(*shown[0], *shown[1]) in said
    assert "norms are {:.2f} [{:.2f}, {:.2f}] and {:.2f} [{:.2f}, {:.2f}]".format(*shown[2], *shown[3]) in said
