"""Which number it was that made weights infinite: from what is known of the chunk in which it was, else a guess."""

from typing import Any, NamedTuple

import numpy as np

from cortex_model.language.moments import Learn
from cortex_model.parameters.interventions import read_relative_rate
from cortex_model.schedule.declared import PHASES, Declared
from cortex_model.schedule.interventions import OneOf
from cortex_model.schedule.presentations import ByFunction
from cortex_model.schedule.stimuli import Stimuli
from cortex_model.weights import Weights

#: A step that is as many times what it corrects goes beyond it, and on and on.
UNSTABLE = 2
#: Times by which stimuli, weights or a number of the rule are larger than usual where they are to blame.
FAR = 10
#: Weights beyond this were lost before.
LOST = 1e4
#: Stimuli and targets that are looked at.
N_LOOKED_AT = 1000


class Chunk(NamedTuple):
    """What is known of a chunk after which weights are not finite.

    Attributes
    ----------
    declared : Declared
    numbers : dict
        Of the network.
    stimuli : Stimuli
    slots : dict
        Phase -> gates that are open, of the phases in the chunk.
    begins : int
        Number of its first presentation.
    before, after : Weights
        The last ones that were finite, and those after it.
    changed_at : int or None
        Number of the presentation before which a user's intervention last changed something.
    """

    declared: Declared
    numbers: dict[str, Any]
    stimuli: Stimuli
    slots: dict[str, frozenset[str]]
    begins: int
    before: Weights
    after: Weights
    changed_at: int | None

    def learning(self):
        """(phase, moment) of every change of weights in the chunk."""
        gates = self.declared.ordering.gates
        for phase, opened in self.slots.items():
            moments = (event.moment for event, gate in gates.items() if gate in opened)
            yield from ((phase, moment) for moment in dict.fromkeys(moments) if isinstance(moment, Learn))

    def value(self, name: str) -> float:
        """A number of the network, or one of the parameters that no equation reads."""
        given = self.numbers.get(name, getattr(self.declared.parameters, name, 0.0))
        return float(given)


def chunk_of(declared, run, stimuli, state, before: Weights) -> Chunk:
    """What is known of the chunk that ended in ``state``."""
    schedule = run.schedule
    phases = [PHASES[number] for number in np.unique(schedule.phase[state.first : state.last])]
    slots = {phase: frozenset().union(*schedule.slots[phase]) for phase in phases}
    asked = [places for host, places in schedule.interventions.items() if isinstance(host, ByFunction | OneOf)]
    earlier = [int(place) for places in asked for place in places if place <= state.first]
    begins, *changed_at = (int(schedule.numbers(at, at + 1)[0]) for at in (state.first, *sorted(earlier)[-1:]))
    return Chunk(declared, run.numbers, stimuli, slots, begins, before, state.weights, *(changed_at or [None]))


def blamed(chunk: Chunk) -> tuple[str, str]:
    """Name of an array that is not finite, or became unstable, and what to do about it.

    What is looked at, in this order: what the host did just before; steps in sleep that go too far, by theory; weights
    that were lost, or feedback that was much stronger than its partner, already before; large stimuli or targets. Else
    the number of the rule that is furthest from its default is named as what it most likely was, or the learning rate.
    """
    name = chunk.after.first_not_finite()
    found = _changed(chunk) or _step_in_sleep(chunk) or _weights_before(chunk) or _what_was_shown(chunk)
    return found or (name, _most_likely(chunk, name.rsplit("_", 1)[0]))


def _step_in_sleep(chunk):
    """A step that is too large for the power of what drives it, and for its decay."""
    p = chunk.declared.parameters
    for phase, learn in chunk.learning():
        others = {"V": chunk.before.forward, "W": chunk.before.feedback}.get(learn.projection, {})
        rate = first_number(learn.step, chunk.numbers)
        if phase != "sleep" or rate is None or "weight" not in learn.change:
            continue
        for level in others.keys() & chunk.before.feedback.keys():
            factor = getattr(p, "relative_rate", lambda *_: 1.0)(learn.projection, level)
            power = 1.0 if p.sleep_normalisation else float(np.sum(others[level].astype(float) ** 2))
            decay, step = chunk.value("damping"), chunk.value(rate) * factor
            if not step * (power + decay) >= UNSTABLE:
                continue
            number = rate
            if decay > max(power, FAR * FAR):
                number = "damping"
            elif step / factor * (power + decay) < UNSTABLE:
                number, factor = "relative_learning_rates", np.nan
            elif learn.projection == "W" and (scale := chunk.value("initial_feedback_scale")) > FAR:
                number = "initial_feedback_scale" if step * (power / scale**2 + decay) < UNSTABLE else rate
            said = (
                f"a step in sleep is {step * (power + decay):.3g} times what it corrects, where {UNSTABLE} is too much"
            )
            return f"{learn.projection}_{level}", f"{_lower(chunk, number)}: {said}"
    return None


def _changed(chunk):
    """Weights that are very large after an intervention: just after it, it made them so, and later most likely."""
    name, largest = _largest(chunk)
    if chunk.changed_at is None or not largest > LOST:
        return None
    guessed = "" if chunk.changed_at == chunk.begins else ", most likely"
    said = f"{name} was up to {largest:.3g} before presentation {chunk.begins}"
    return name, f"change the intervention before presentation {chunk.changed_at}{guessed}: {said}"


def _weights_before(chunk):
    """Weights that were lost before, or feedback that was much stronger than the projection that it is to match."""
    name, largest = _largest(chunk)
    scale, (projection, level) = chunk.value("initial_feedback_scale"), name.rsplit("_", 1)
    said = f"{name} was up to {largest:.3g} already before presentation {chunk.begins}"
    if projection == "V" and scale > FAR and largest > FAR * np.abs(chunk.before.forward[int(level)]).max():
        return name, f"{_lower(chunk, 'initial_feedback_scale')}: {said}"
    return (name, f"{_most_likely(chunk, projection)}; {said}") if largest > LOST else None


def _largest(chunk):
    """Name of the array with the largest weight before, and that weight."""
    sizes = {name: float(np.abs(array).max(initial=0)) for name, array in chunk.before.named().items()}
    return max(sizes.items(), key=lambda each: each[1])


def _what_was_shown(chunk):
    """Stimuli or targets that are much larger than 1."""
    shown = chunk.stimuli.wake if "wake" in chunk.slots else None
    for what, rows in zip(("stimuli", "targets"), shown or (), strict=False):
        size = float(np.sqrt(np.mean(np.square(rows[:N_LOOKED_AT], dtype=float)))) if len(rows) else 0.0
        if size > FAR:
            said = f"{what} of a size of {size:.3g} (root mean square) are shown, where about 1 is usual"
            return chunk.after.first_not_finite(), f"rescale the {what}: {said}"
    return None


def _most_likely(chunk, projection):
    """The number that is furthest from its default, or the learning rate; a guess that says that it is one."""
    fields, steps = type(chunk.declared.parameters).model_fields, set()
    for _, learn in chunk.learning():
        steps |= {first_number(learn.step, chunk.numbers)}
    candidates = []
    for name in (*chunk.declared.rule.numbers, "initial_feedback_scale"):
        default = fields[name].default if name in fields else None
        if isinstance(default, float) and default > 0 and chunk.value(name) > 0:
            times = chunk.value(name) / default
            candidates.append((times if name in steps else max(times, 1 / times), times, name))
    rates = getattr(chunk.declared.parameters, "relative_learning_rates", ())
    candidates += [(factor, factor, "relative_learning_rates") for *_, factor in map(read_relative_rate, rates)]
    far, times, name = max(candidates, default=(0.0, 0.0, ""))
    if far > FAR:
        said = f"{times:.3g} times its default"
        return f"{_lower(chunk, name, 'lower' if times > 1 else 'raise')}, which is {said}, most likely"
    return f"{_lower(chunk, _step_of(chunk, projection))}, most likely"


def _lower(chunk, name, word="lower"):
    """What is to be done with a number."""
    value = getattr(chunk.declared.parameters, name) if name == "relative_learning_rates" else f"{chunk.value(name):g}"
    return f"{word} {name} from {','.join(value) if isinstance(value, tuple) else value}"


def _step_of(chunk, projection):
    """The number by which a projection learns, rather in wake than in sleep."""
    steps = [(phase != "wake", first_number(learn.step, chunk.numbers))
             for phase, learn in chunk.learning() if learn.projection == projection]  # fmt: skip
    return min((step for step in steps if step[1]), default=(True, "learning_rate"))[1]


def first_number(step: str, numbers: dict[str, Any]) -> str | None:
    """The first of a step's factors that is a number of the run."""
    return next((name for name in step.replace("*", " ").replace("-", " ").split() if name in numbers), None)
