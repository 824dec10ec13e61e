"""A rule where things take time, made from the declaration in which they settle at once."""

import re
from dataclasses import replace

from cortex_model.errors import RuleError
from cortex_model.language.moments import Host, Settle
from cortex_model.language.parts import Dynamics, Number
from cortex_model.language.rule import Rule
from cortex_model.language.sequence import Repeat, Stretch, Then, moments_of

#: Exact for an x that relaxes to an f held through the step, where relaxation is 1 - exp(-dt/tau).
LEAKY = Dynamics(
    "leaky",
    "{x} += relaxation*({f} - {x})",
    {"relaxation": Number(1.0, "part of the way that is covered in a time step, 1 - exp(-dt/tau)", above=0, at_most=1)},
)


def in_time(rule: Rule, dynamics: Dynamics = LEAKY) -> Rule:
    """The same rule where things take time: what stands between two `Then` becomes a `Stretch` of time steps.

    A stretch unfolds like this (`cortex_model.language.stretches` derives what belongs where). At its beginning
    everything returns to rest, unless it goes on from the stretch before; what is shown is held from then on. In each
    step every projection carries what was there when the step began, or, with a delay, some steps before; what is on
    its way along axons goes on; then each variable that settles goes a part of its way, and what follows from it at
    once does so, in the order of the declaration. At the end of the last step the rest happens: synapses learn.

    Parameters
    ----------
    rule : Rule
        In which all settles at once; where it has another sequence for time (``timed``), that is taken.
    dynamics : Dynamics

    Returns
    -------
    rule : Rule

    Raises
    ------
    RuleError
        If nothing in it settles, so that nothing can take time; or if moments are repeated without a `Then`: whether
        rounds are time is not for this function to say.
    """
    if any(isinstance(part, Stretch) for sequence in rule.phases.values() for part in sequence):
        raise RuleError(f"in_time: must get a rule that settles at once (got {rule.name}, in time); pass that one.")
    sequences = {**rule.phases, **rule.timed}
    phases = {name: _stretches(rule.name, sequence, True) for name, sequence in sequences.items()}
    if not any(isinstance(moment, Settle) for sequence in sequences.values() for moment in moments_of(sequence)):
        raise RuleError(
            f"dynamics: must be settled where nothing in a rule settles, and all happens at once (got {dynamics.name} "
            f"for {rule.name}); set dynamics=settled."
        )
    gone = _words(rule.phases) - _words(sequences)  # numbers of rounds that are time steps now
    numbers = {name: number for name, number in rule.numbers.items() if name not in gone}
    name = f"{rule.name}_{dynamics.name}"
    return replace(rule, name=name, phases=phases, timed={}, numbers=numbers, dynamics=dynamics)


def _words(sequences):
    """Every word in the strings of sequences."""
    return set(re.findall(r"\w+", repr(sequences)))


def _stretches(name, sequence, from_rest):
    """A sequence cut where a `Then` stands, or a `Repeat` that begins with one."""
    out, pending = [], []

    def finish():
        if pending:
            out.append(Stretch(tuple(pending), from_rest))
            pending.clear()

    for part in sequence:
        if isinstance(part, Host):
            out.append(part)
        elif isinstance(part, Then):
            finish()
            from_rest = part.rests
        elif isinstance(part, Repeat):
            if not part.moments or not isinstance(part.moments[0], Then):
                raise RuleError(
                    f"in_time: rounds of a Repeat must begin with Then where things take time (got {part.times!r} in "
                    f"{name}); use settled dynamics, or say what a round waits for."
                )
            finish()
            out.append(Repeat(part.times, *_stretches(name, part.moments, False)))
        else:
            pending.append(part)
    finish()
    return tuple(out)
