"""The schedule: how much of each phase, in which order, which gates are open, and where chunks end."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cortex_model.errors import ParameterError
from cortex_model.language import Carry, Learn
from cortex_model.language.sequence import repeats_of
from cortex_model.parameters import SleepWakeParameters
from cortex_model.rules import shipped
from cortex_model.schedule import (
    EVALUATION,
    PERCEPTION,
    PHASES,
    RECALL,
    SLEEP,
    WAKE,
    declared,
    schedule_of,
    sleep_schedule,
    trace_schedule,
    wake_sleep_schedule,
)
from cortex_model.schedule.declared import program_kind
from cortex_model.schedule.ensemble import Ensemble
from cortex_model.schedule.presentations import LARGEST

PROPERTY = settings(deadline=None, max_examples=25)
SMALL = {"layer_sizes": (4, 3, 2)}


def woven(n_wake=20, n_stimuli=8, n_evaluated=3, evaluate_every=0, evaluate_early_every=0, **overrides):
    """A schedule whose stimuli say where they come from: 100 * epoch + position, so that order is seen."""
    p = SleepWakeParameters(**SMALL | overrides)

    def order(epoch):
        return 100 * epoch + np.arange(n_stimuli)

    return wake_sleep_schedule(p, order, n_stimuli, n_wake, n_evaluated, evaluate_every, evaluate_early_every)


def text(schedule):
    """One letter a presentation: wake, sleep, evaluation."""
    return "".join(PHASES[phase][0] for phase in schedule.phase)


# ---------------------------------------------------------------------- amounts
@pytest.mark.parametrize(("sleep_per_wake", "n_sleep"), [(0, 0), (0.01, 2), (0.3, 60), (1, 200), (2.5, 500)])
@pytest.mark.parametrize("block", [1, 7, 1000])
def test_sleep_per_wake_is_kept_on_average_whatever_the_blocks(sleep_per_wake, n_sleep, block):
    schedule = woven(n_wake=200, sleep_per_wake=sleep_per_wake, sleep_block_presentations=block)
    assert schedule.n_presentations("wake") == 200
    assert schedule.n_presentations("sleep") == n_sleep
    assert schedule.n_presentations("evaluation") == 2 * 3
    assert schedule.n_presentations() == len(schedule) == 200 + n_sleep + 6


@pytest.mark.parametrize(
    ("overrides", "expected", "n_slots_of_sleep"),
    [
        ({"sleep_per_wake": 1}, "wswswswswsws", 1),
        ({"sleep_per_wake": 0}, "wwwwww", 0),
        ({"sleep_per_wake": 2.5}, "wsswssswsswssswsswsss", 1),
        ({"sleep_per_wake": 0.5}, "wwswwswws", 1),
        ({"sleep_per_wake": 1, "sleep_block_presentations": 4}, "wwwwsssswwss", 1),
        ({"sleep_per_wake": 0.5, "sleep_block_presentations": 4}, "wwwwsswws", 1),
        ({"sleep_per_wake": 1, "sleep_before_presentations": 3}, "sss" + "ws" * 6, 1),
        ({"sleep_per_wake": 1, "forward_sleep_learning_rate": 0.1}, "ws" * 6, 1),
        ({"forward_sleep_learning_rate": 0.1, "layer_sizes": (5, 4, 3, 2)}, "ws" * 6, 1),
        ({"forward_sleep_learning_rate": 0.1, "feedback_to_input": True}, "ws" * 6, 1),
        ({"learning_rule": "hinton_mcclelland"}, "ws" * 6, 1),
        ({"learning_rule": "hinton_mcclelland", "forward_sleep_learning_rate": 0.1}, "ws" * 6, 2),
        ({"learning_rule": "ben_israel"}, "ws" * 6, 2),
        ({"learning_rule": "weight_mirror", "damping": 0.5}, "ws" * 6, 1),
        ({"learning_rule": "backpropagation"}, "wwwwww", 0),
        ({"learning_rule": "random_feedback", "sleep_before_presentations": 5}, "wwwwww", 0),
        ({"learning_rule": "exact_pseudoinverse"}, "wwwwww", 0),
        ({"learning_rule": "direct_feedback"}, "wwwwww", 0),
        ({"learning_rule": "kolen_pollack"}, "wwwwww", 0),
    ],
    ids=str,
)
def test_weave_of_wake_and_sleep(overrides, expected, n_slots_of_sleep):
    schedule = woven(n_wake=6, n_evaluated=0, **overrides)
    assert text(schedule) == expected
    assert len(schedule.slots.get("sleep", ())) == n_slots_of_sleep
    assert schedule.n_slots == 6 + (len(expected) - 6) * n_slots_of_sleep


def test_evaluations_come_before_learning_in_between_and_at_the_end():
    schedule = woven(n_wake=6, n_evaluated=2, evaluate_every=4, sleep_before_presentations=1)
    assert text(schedule) == "ee" + "s" + "wswswsws" + "ee" + "wsws" + "ee"
    assert schedule.measured.tolist() == [2, 13, 19]
    assert schedule.stimulus[schedule.phase == EVALUATION, 0].tolist() == [0, 1] * 3


def test_early_evaluations_end_where_the_others_begin():
    schedule = woven(n_wake=12, n_evaluated=1, evaluate_every=5, evaluate_early_every=2, sleep_per_wake=0)
    assert text(schedule) == "e" + "wwe" + "wwe" + "we" + "wwwwwe" + "wwe"
    short = woven(n_wake=3, n_evaluated=1, evaluate_every=5, evaluate_early_every=2, sleep_per_wake=0)
    assert text(short) == "e" + "wwe" + "we"


def test_disturbances_of_feedback_come_in_their_period():
    schedule = woven(n_wake=7, n_evaluated=0, feedback_noise=0.1, perturb_every_presentations=3, sleep_per_wake=0)
    ((host, places),) = schedule.interventions.items()
    assert host.name == "perturbed_feedback" and places.tolist() == [0, 3, 6]


def test_an_end_that_is_an_evaluation_is_evaluated_once():
    assert text(woven(n_wake=4, n_evaluated=1, evaluate_every=2, sleep_per_wake=0)) == "ewwewwe"


def test_stimuli_come_in_the_order_of_their_epochs():
    schedule = woven(n_wake=19, n_stimuli=8, evaluate_every=5, sleep_per_wake=0.3)
    shown = schedule.stimulus[schedule.phase == WAKE, 0]
    assert shown.tolist() == [*range(8), *range(100, 108), *range(200, 203)]
    assert set(schedule.stimulus[schedule.phase == SLEEP, 0]) == {-1}


def test_a_batch_is_one_presentation_of_several_stimuli():
    schedule = woven(n_wake=7, n_stimuli=4, n_evaluated=5, evaluate_every=4, batch_size=3, sleep_per_wake=1)
    assert text(schedule) == "ee" + "wsws" + "ee" + "ws" + "ee", "7 in wake fill 3 batches, 4 of them 2"
    is_awake = schedule.phase == WAKE
    assert schedule.stimulus[is_awake].tolist() == [[0, 1, 2], [3, 100, 101], [102, 103, 200]]
    assert schedule.stimulus[schedule.phase == EVALUATION].tolist() == [[0, 1, 2], [3, 4, -1]] * 3
    assert schedule.n_presentations("wake") == schedule.n_presentations("sleep") == 9
    assert schedule.n_presentations("evaluation") == 15
    assert schedule.presentation.tolist() == list(range(0, 3 * len(schedule), 3)), "each stimulus has its own noise"


def test_only_sleep_needs_no_stimuli():
    schedule = woven(n_wake=0, n_stimuli=0, n_evaluated=0, sleep_before_presentations=4)
    assert text(schedule) == "ssss"


def test_nothing_to_present_is_refused():
    with pytest.raises(ParameterError, match=r"^Schedule: must hold at least one presentation \(got none\)"):
        woven(n_wake=0, n_evaluated=0)


def test_a_phase_that_the_rule_does_not_have_is_refused():
    p = SleepWakeParameters(**SMALL, learning_rule="backpropagation")
    with pytest.raises(
        ParameterError,
        match=r"^Schedule\.phase: must be phases of learning_rule backpropagation, which are wake, evaluation, "
        r"perception, recall \(got sleep\)",
    ):
        schedule_of(p, np.array([WAKE, SLEEP]), np.zeros((2, 1)))


def test_presentations_in_any_order_have_the_slots_of_their_phases():
    p = SleepWakeParameters(**SMALL, forward_sleep_learning_rate=0.1)
    schedule = schedule_of(p, [RECALL, SLEEP, WAKE, SLEEP], [[4], [-1], [2], [-1]], measured=[0, 4])
    assert schedule.slots == {phase: declared(p).slots(phase) for phase in ("wake", "sleep", "recall")}
    assert schedule.n_slots == 4
    assert schedule.measured.tolist() == [0, 4] and schedule.stimulus.dtype == np.int32


def test_sleep_schedule_is_measured_before_in_between_and_after():
    schedule = sleep_schedule(SleepWakeParameters(**SMALL, forward_sleep_learning_rate=0.1), 5, 2)
    assert text(schedule) == "sssss"
    assert schedule.presentation.tolist() == [0, 1, 2, 3, 4]
    assert schedule.measured.tolist() == [0, 2, 4, 5]
    assert (schedule.stimulus == -1).all()
    batches = sleep_schedule(SleepWakeParameters(**SMALL, batch_size=4), 10, 5)
    assert text(batches) == "sss" and batches.measured.tolist() == [0, 2, 3], "5 fill two batches"


# ---------------------------------------------------------------------- numbers of presentations
def test_a_schedule_that_goes_on_draws_other_noise():
    schedule = woven(n_wake=3, n_evaluated=0, batch_size=2)
    later = schedule.counted_from(100)
    assert later.presentation.tolist() == (100 + schedule.presentation).tolist()
    assert later.counted_from(schedule.next_presentation).first_presentation == 100 + schedule.next_presentation
    assert later.next_presentation == later.presentation[-1] + 2
    assert np.array_equal(later.phase, schedule.phase) and later.slots == schedule.slots
    last = LARGEST - schedule.next_presentation
    assert schedule.counted_from(last).next_presentation == LARGEST
    with pytest.raises(ParameterError, match=rf"^Schedule\.presentation: must be below {2**31}, .*\(got {2**31 - 1}\)"):
        schedule.counted_from(last + 1)


# ---------------------------------------------------------------------- properties
#: Rules that learn to answer stimuli with targets.
TAUGHT = [name for name, rule in shipped().items() if rule.task == "targets"]
SCHEDULES = st.fixed_dictionaries(
    {
        "n_wake": st.integers(1, 60),
        "n_stimuli": st.integers(1, 20),
        "n_evaluated": st.integers(0, 4),
        "evaluate_every": st.integers(0, 25),
        "sleep_per_wake": st.sampled_from([0.0, 0.01, 0.3, 1.0, 2.5]),
        "sleep_before_presentations": st.integers(0, 5),
        "sleep_block_presentations": st.integers(1, 9),
        "forward_sleep_learning_rate": st.sampled_from([0.0, 0.1]),
        "learning_rule": st.sampled_from(TAUGHT),
        "damping": st.just(0.3),
        "feedback_gain": st.sampled_from(["closed_form", "norm_matched"]),
        "gain_update_presentations": st.integers(1, 30),
        "pseudoinverse_every_presentations": st.integers(1, 30),
    }
)
#: Rules that repeat something in wake.
IN_ROUNDS = [name for name, rule in shipped().items() if [*repeats_of(rule.phases["wake"])]]
#: Rules with which the host does something, whatever is chosen.
WITH_HOST = {"exact_pseudoinverse": "pseudoinverse_every_presentations"}


@PROPERTY
@given(SCHEDULES)
def test_presentations_are_numbered_without_gap_and_take_the_slots_of_their_phase(arguments):
    schedule = woven(**arguments)
    assert schedule.presentation.tolist() == list(range(len(schedule)))
    presentation, step = schedule.places_of_slots()
    assert len(presentation) == len(step) == schedule.n_slots
    lengths = np.bincount(presentation, minlength=len(schedule))
    assert lengths.tolist() == [len(schedule.slots[PHASES[phase]]) for phase in schedule.phase]
    rounds = {1, 1 + SleepWakeParameters().inference_steps} if arguments["learning_rule"] in IN_ROUNDS else {1}
    assert lengths.min() >= 1 and set(lengths[schedule.phase != SLEEP]) <= rounds
    assert step.tolist() == [k for n in lengths for k in range(n)]
    for phase in np.unique(schedule.phase):
        gate = f"{PHASES[phase]}_gate"
        assert np.array_equal(schedule.opened(gate), schedule.phase[presentation] == phase), "each has one phase"


@PROPERTY
@given(SCHEDULES)
def test_blocks_change_neither_the_wake_nor_the_amount_of_sleep(arguments):
    one_by_one, blocks = woven(**arguments | {"sleep_block_presentations": 1}), woven(**arguments)
    for phase in PHASES:
        assert one_by_one.n_presentations(phase) == blocks.n_presentations(phase)
    shown = [s.stimulus[s.phase == WAKE, 0].tolist() for s in (one_by_one, blocks)]
    assert shown[0] == shown[1]


@PROPERTY
@given(SCHEDULES, st.integers(1, 50))
def test_boundaries_cut_the_whole_into_chunks_that_fit(arguments, capacity):
    schedule = woven(**arguments)
    cuts = schedule.boundaries(capacity)
    assert (cuts[0], cuts[-1]) == (0, len(schedule))
    assert (np.diff(cuts) > 0).all() and np.diff(cuts).max() <= capacity
    assert set(schedule.measured).union(*schedule.interventions.values()) <= set(cuts)
    chunks = [schedule.opened("wake_gate", a, b) for a, b in zip(cuts, cuts[1:], strict=False)]
    assert np.array_equal(np.concatenate(chunks), schedule.opened("wake_gate")), "no presentation is cut in two"


@PROPERTY
@given(SCHEDULES, st.integers(0, 60))
def test_presentations_before_a_place(arguments, place):
    schedule = woven(**arguments)
    place = min(place, len(schedule))
    assert schedule.n_presentations(place=place) == place
    for number, phase in enumerate(PHASES):
        assert schedule.n_presentations(phase, place) == (schedule.phase[:place] == number).sum()


@PROPERTY
@given(SCHEDULES)
def test_the_host_comes_in_its_period_of_wake_presentations(arguments):
    matched = arguments["feedback_gain"] == "norm_matched"
    schedule, rule = woven(**arguments), arguments["learning_rule"]
    periods = [arguments[WITH_HOST[rule]]] if rule in WITH_HOST else []
    periods += [arguments["gain_update_presentations"]] if matched else []
    done = [[schedule.n_presentations("wake", at) for at in places] for places in schedule.interventions.values()]
    assert sorted(done) == sorted(list(range(0, arguments["n_wake"], period)) for period in periods)
    for places in schedule.interventions.values():
        assert (schedule.phase[places] == WAKE).all(), "before a presentation of the phase that declares it"


def test_in_batches_the_host_comes_no_later_than_in_its_period():
    schedule = woven(n_wake=12, n_stimuli=12, n_evaluated=0, batch_size=2, learning_rule="exact_pseudoinverse",
                     pseudoinverse_every_presentations=5)  # fmt: skip
    ((_, places),) = schedule.interventions.items()
    assert places.tolist() == [0, 3], "5 presentations fill 3 batches"


# ---------------------------------------------------------------------- gates
EVERY_RULE = [
    {"learning_rule": rule, "forward_sleep_learning_rate": rate, "feedback_to_input": to_input, "damping": 0.5,
     "sleep_normalisation": normalised}
    for rule, its in shipped().items()
    if program_kind(its)[1] == program_kind(shipped()["reciprocal"])[1]
    for rate in ((0.0, 0.1) if "forward_sleep_learning_rate" in its.numbers else (0.0,))
    for to_input in (False, True)
    for normalised in (False, True)
]  # fmt: skip
IN_WAKE = {
    "backpropagation": {"transposed_weight_update"},
    "kolen_pollack": {"transposed_weight_update", "forward_decay", "feedback_decay"},
}


def opened_events(p, phase):
    """What happens in each slot: the events of the program whose gates are open."""
    its = declared(p)
    return [[event for event, gate in its.ordering.gates.items() if gate in slot] for slot in its.slots(phase)]


@pytest.mark.parametrize("overrides", EVERY_RULE, ids=lambda overrides: "-".join(map(str, overrides.values())))
def test_gates_of_every_rule(overrides):
    p = SleepWakeParameters(**SMALL, **overrides)
    its, rule, rate = declared(p), p.learning_rule, p.forward_sleep_learning_rate
    happens = {phase: [event for slot in opened_events(p, phase) for event in slot] for phase in its.phases}
    changes = {phase: [e.moment for e in events if isinstance(e.moment, Learn)] for phase, events in happens.items()}
    learns = {phase: {moment.name for moment in moments} for phase, moments in changes.items()}
    assert learns.pop("wake") == {"weight_update", "bias_update"} | IN_WAKE.get(rule, set())
    sleeps = "sleep" in shipped()[rule].phases
    changed = {"V", "W"} if rate else {"V"}
    assert {moment.projection for moment in changes.get("sleep", ())} == (changed if sleeps else set())
    expected = {"feedback_update"} | ({"forward_update"} if rate else set())
    assert learns.pop("sleep", None) == (expected if sleeps else None)
    assert not any(learns.values()), "nothing is learned in evaluation, perception and recall"
    for event in happens.get("sleep", ()):
        read = {name for _, name in its.placed.touches(event)[0]}
        assert not read & {"response", "basal_drive", "stimulus", "target"}, "sleep is linear, and in the dark"
        if isinstance(event.moment, Carry) and event.moment.projection == "V" and event.level == 1:
            assert overrides["feedback_to_input"]


def test_every_gate_is_opened_by_some_rule():
    """Rules that have the same projections share a program."""
    for to_input in (False, True):
        opened, gates = set(), set()
        for overrides in EVERY_RULE:
            if overrides["feedback_to_input"] == to_input and not overrides["sleep_normalisation"]:
                its = declared(SleepWakeParameters(**SMALL, **overrides))
                opened |= {gate for phase in its.phases for slot in its.slots(phase) for gate in slot}
                gates |= set(its.gates)
        assert opened == gates


def test_a_gate_as_a_column():
    own = {"learning_rule": "hinton_mcclelland", "forward_sleep_learning_rate": 0.1}
    schedule = woven(n_wake=2, n_evaluated=1, **own)
    assert text(schedule) == "ewswse"
    assert schedule.n_slots == 8, "sleep takes two: the upper population compares what comes back up"
    p = SleepWakeParameters(**SMALL, **own)
    gates = declared(p).ordering.gates

    def column(name):
        (gate,) = {gates[e] for e in gates if e.moment.__class__ is Learn and e.moment.name == name and used(gates[e])}
        return schedule.opened(gate).astype(int).tolist()

    def used(gate):
        return any(gate in slot for slot in schedule.slots["sleep"])

    assert schedule.opened("sleep_gate").astype(int).tolist() == [0, 0, 1, 1, 0, 1, 1, 0]
    assert column("feedback_update") == [0, 0, 1, 0, 0, 1, 0, 0]
    assert column("forward_update") == [0, 0, 0, 1, 0, 0, 1, 0]
    assert schedule.opened("answer_gate").astype(int).tolist() == [1, 0, 0, 0, 0, 0, 0, 1]
    assert schedule.opened("forward", 1, 3).tolist() == [False] * 3, "a gate that is in no slot is never open"
    assert tuple(range(5)) == (WAKE, SLEEP, EVALUATION, PERCEPTION, RECALL)


# ---------------------------------------------------------------------- presentations that take time
N = 10  # steps of a presentation
IN_TIME = SleepWakeParameters(
    layer_sizes=(5, 4, 3, 2), learning_rule="reciprocal", forward_sleep_learning_rate=0.01, sleep_per_wake=0.5,
    dynamics="leaky", time_step_ms=2.0, presentation_ms=2.0 * N, feedback_onset_ms=12.0,
    forward_delay_ms=(4.0, 0.0, 6.0), feedback_delay_ms=(8.0, 2.0),
)  # fmt: skip
EACH = list(range(N))


def in_time(**overrides):
    p = IN_TIME.with_overrides(overrides)
    return wake_sleep_schedule(p, lambda epoch: 100 * epoch + np.arange(8), 8, 20, 3, 7)


def steps(phase, what, level=None, p=IN_TIME):
    """Time steps of a presentation in which an event (``Carry W rate``, ``rate = stimulus``) happens."""
    its = declared(p)
    found = [
        {event for event in slot if said(event, its.placed) == what and level in (None, event.level)}
        for slot in opened_events(p, phase)
    ]
    return [k for k, events in enumerate(found) if events]


def said(event, placed):
    moment = event.moment
    if isinstance(moment, Carry):
        return f"{moment.projection} {moment.source}"
    return moment.name if isinstance(moment, Learn) else placed.code(event).split(" ")[0]


def test_a_presentation_in_time_takes_its_steps_and_changes_no_amount():
    leaky, settled = in_time(), in_time(dynamics="settled")
    assert leaky.n_slots == N * (len(leaky) + 2 * leaky.n_presentations("sleep")), "sleep goes up, down, and comes back"
    for column in ("phase", "presentation", "stimulus", "measured"):
        assert np.array_equal(getattr(leaky, column), getattr(settled, column)), column
    for phase in ("wake", "sleep", "evaluation"):
        assert len(leaky.slots[phase]) == (3 * N if phase == "sleep" else N)
        assert leaky.n_presentations(phase, 5) == settled.n_presentations(phase, 5)
    _, step = leaky.places_of_slots()
    assert step[: N * 3].tolist() == EACH * 3, "an evaluation of three comes first"


def test_wake_in_time():
    assert steps("wake", "W rate", 1) == [2], "the stimulus is held: one sum, when it arrives"
    assert steps("wake", "W rate", 2) == steps("wake", "W rate", 3) == EACH
    assert steps("wake", "V delta") == [5, 6, 7, 8, 9], "at the end of step 5, after 12 ms"
    assert steps("wake", "weight_update") == [N - 1], "plasticity takes one step"
    assert [k for k, slot in enumerate(declared(IN_TIME).slots("evaluation")) if "answer_gate" in slot] == [N - 1]
    assert steps("evaluation", "V delta") == steps("evaluation", "weight_update") == []
    assert steps("wake", "V delta", p=IN_TIME.with_overrides({"feedback_onset_ms": 0.0})) == EACH


def test_sleep_in_time():
    """An ascending half cycle, and a descending one, which goes down and comes back."""
    down, back = N, 2 * N
    assert [steps("sleep", "W rate", l) for l in (1, 2, 3)] == [[], [0], [3]], "noise is held: one sum, when it arrives"
    assert steps("sleep", "V up") == EACH
    assert steps("sleep", "feedback_update") == [N - 1]
    assert [steps("sleep", "V rate", l) for l in (2, 3)] == [[down + 4], [down + 1]]
    assert steps("sleep", "W sent_back", 2) == [back], "it goes on from where the descent ended"
    assert steps("sleep", "W sent_back", 3) == [back, back + 1, back + 2, back + 3], "what is on its way"
    assert steps("sleep", "forward_update") == [3 * N - 1]
    to_input = IN_TIME.with_overrides({"feedback_to_input": True, "feedback_delay_ms": (0.0,)})
    assert steps("sleep", "W rate", 1, to_input) == [2]


@pytest.mark.parametrize("phase", [PERCEPTION, RECALL])
def test_perception_and_recall_are_traced_and_nothing_learns(phase):
    p = IN_TIME.with_overrides({"batch_size": 3, "feedback_to_input": True, "feedback_delay_ms": (0.0,)})
    schedule = trace_schedule(p, 7, phase)
    assert schedule.stimulus.tolist() == [[0, 1, 2], [3, 4, 5], [6, -1, -1]]
    assert schedule.n_presentations(PHASES[phase]) == 7
    gate = f"{PHASES[phase]}_gate"
    assert schedule.opened(gate).all() and schedule.n_slots == 3 * N
    events = {event for slot in opened_events(p, PHASES[phase]) for event in slot}
    assert not [event for event in events if isinstance(event.moment, Learn)]
    assert {event.level for event in events if said(event, declared(p).placed) == "V rate"} == {1, 2, 3}


@pytest.mark.parametrize("capacity", [1, 4, 7])
def test_chunks_count_presentations_and_never_begin_within_one(capacity):
    leaky, settled = in_time(), in_time(dynamics="settled")
    assert np.array_equal(leaky.boundaries(capacity), settled.boundaries(capacity))
    cuts = leaky.boundaries(capacity)
    assert np.diff(cuts).max() <= capacity
    first_steps = [leaky.places_of_slots(a, b)[1][0] for a, b in zip(cuts, cuts[1:], strict=False)]
    assert not any(first_steps)


def test_sleep_alone_takes_time_too():
    schedule = sleep_schedule(IN_TIME, 4, 2)
    assert schedule.n_slots == 4 * 3 * N
    assert schedule.measured.tolist() == [0, 2, 4]


def test_networks_side_by_side_share_slots_unless_something_else_than_plasticity_differs():
    its = declared(IN_TIME)
    joined = Ensemble([in_time(), in_time(learning_rule="backpropagation")], its)
    assert len(joined.schedule.slots["wake"]) == N and joined.turns["wake"] == [[0, 1]]
    later = Ensemble([in_time(), in_time(feedback_onset_ms=6.0)], its)
    assert len(later.schedule.slots["wake"]) == 2 * N and later.turns["wake"] == [[0], [1]]
    assert later.turns["evaluation"] == later.turns["sleep"] == [[0, 1]]
