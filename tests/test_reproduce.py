"""Runs that are missing are made, once, side by side; figures are found by name."""

import pytest

from cortex_model.errors import ParameterError, RunError
from cortex_model.experiments import making as module
from cortex_model.experiments.making import RunRequest, make_runs, programs_first
from cortex_model.experiments.reproduce import load_figure, reproduce
from cortex_model.protocol import load_protocol
from cortex_model.runs.directory import RunDirectory
from cortex_model.runs.running import start

#: Runs that need no device: averaged, a few steps.
QUICK = {"averaged": True, "layer_sizes": (4, 4), "n_presentations": 20, "look_every_presentations": 10}


def quick(seed, **more):
    return RunRequest("pseudoinverse_alignment", QUICK | more, seed)


# ---------------------------------------------------------------------- figures by name
def test_unknown_figure_names_the_nearest():
    with pytest.raises(ParameterError, match=r"must be a figure's name \(got 'fig1c'\); did you mean fig1[ab]\?"):
        load_figure("fig1c")


def test_figure_that_needs_no_run_is_drawn_at_once(tmp_path):
    rows = reproduce("fig2a", "digits", 1, tmp_path, "runtime", lambda *_: None)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fig2a.csv", "fig2a.pdf", "fig2a.png"]
    assert all(list(row) == ["figure", "quantity", "simulated", "paper", "source"] for row in rows)


def test_unknown_dataset_is_refused_before_anything_runs(tmp_path):
    with pytest.raises(ParameterError, match="fig2b.dataset"):
        reproduce("all", "imagenet", 1, tmp_path, "runtime", lambda *_: None)
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------------- making runs
@pytest.mark.slow
def test_run_made_by_a_child_is_the_one_that_was_asked_for(tmp_path):
    requests, seen = [quick(0), quick(1, damping=0.25)], []
    make_runs(requests, tmp_path, "runtime", lambda *what: seen.append(what))
    for request in requests:
        directory = RunDirectory(tmp_path / request.name("runtime"))
        assert directory.has_finished
        parameters = load_protocol(request.protocol).parameters().with_overrides(directory.description()["parameters"])
        assert parameters.model_dump() == request.parameters().model_dump()
    assert seen[0][:2] == (0, 2) and seen[-1][:2] == (2, 2)
    assert [done for done, _, _ in seen] == sorted(done for done, _, _ in seen)


@pytest.fixture
def workers(monkeypatch):
    """News -> what workers tell, in the place of workers; ``ended`` holds how many jobs there were, once it is over."""
    ended = []

    def say(*news):
        def handed_out(jobs, *_):
            try:
                yield from news
            finally:
                ended.append(len(jobs))

        monkeypatch.setattr(module, "handed_out", handed_out)
        return ended

    return say


def test_finished_runs_are_not_made_again(tmp_path, workers):
    start("pseudoinverse_alignment", quick(0).parameters(), 0, "runtime", tmp_path)
    ended = workers((0, None), (0, [""]))
    make_runs([quick(0), quick(0)], tmp_path, "runtime")
    assert ended == []
    make_runs([quick(1), quick(0), quick(1)], tmp_path, "runtime")
    assert ended == [1]


def test_run_that_fails_says_why_and_ends_the_others(tmp_path, workers):
    ended = workers((0, None), (1, None), (0, ["no luck"]), (1, [""]))
    with pytest.raises(RunError, match=r"^pseudoinverse_alignment, seed 0: must finish \(got: no luck\)"):
        make_runs([quick(0), quick(1)], tmp_path, "runtime")
    assert ended == [2]


def test_interruption_ends_the_workers(tmp_path, workers):
    ended = workers((0, None), (0, [""]))

    def report(done, total, text):
        if text == "pseudoinverse_alignment":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_runs([quick(0)], tmp_path, "runtime", report)
    assert ended == [1]


def test_a_run_that_cannot_be_made_ends_with_its_own_sentence(tmp_path):
    wrong = quick(2, learning_rule="hinton_mcclelland")
    with pytest.raises(RunError, match="averaged: must be false unless learning_rule is reciprocal"):
        make_runs([wrong], tmp_path, "runtime")


def test_different_programs_come_first_the_largest_before():
    def classify(seed, **more):
        return RunRequest("wake_sleep_classification", more, seed)

    small = [quick(seed) for seed in range(2)]
    large = [classify(seed, layer_sizes=(64, 9, 8, 10)) for seed in range(2)]
    assert programs_first(small + large) == [large[0], small[0], small[1], large[1]]
