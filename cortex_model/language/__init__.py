"""The words in which a learning rule is declared: `Rule` and what it is made of.

A **moment** happens at once, in its place:

=========  =============================================================================================
`Let`      neurons do this: statements over the variables of one population
`Show`     the same, and it is held: a stimulus, a target, noise
`Fire`     those for which a condition holds have an event (a spike), and do this
`Settle`   a variable goes to a value: at once, or, in time, by a part of the way in each step
`Carry`    a projection sums weight x presynaptic variable into a postsynaptic one
`Learn`    synapses change: weight += step x change
`Pool`     one neuron sums over a population: softmax, or the power of an activity
`Host`     NumPy between presentations: not local, and says so
=========  =============================================================================================

A **presentation** is a sequence of moments, a tuple, in which `Climb` and `Descend` go through the hierarchy level by
level, `Repeat` goes through moments several times, `Steps` in each of several time steps, and what follows `Then` waits
until all has settled.

A **rule** (`Rule`) has projections (`Projection`), such a sequence for each phase, and numbers (`Number`), which become
parameters; a `Choice` is a parameter that decides between forms of the rule. `PlacedRule` puts it into a hierarchy of
given sizes: events, order, slots, gates and variables follow from what the strings of its moments read and write. ``l``
is the number of a population or of the projection that reaches it from below, ``L`` that of the top one, 0 that of the
input.

**Transformations** take a rule and give another one: `in_time` makes rates take time; `cortex_model.language.options`
has the others. What is wrong with a rule `cortex_model.language.soundness` says in sentences.

What strings can read
    Variables of their own population; ``stimulus`` in the input, ``target`` in the top population, and in an
    input that is as large as it; numbers; ``age``, how many presentations of the phase came before; ``noise(k)`` and
    ``uniform(k)``, drawn for each presentation, population, neuron and stream k; ``sigma(drive)``, ``slope(drive,
    rate)``, ``top_sigma(drive)`` and the rows of `NONLINEARITIES` by name. Strings of a `Learn` read variables of both
    ends, ``delta_post`` and ``rate_pre``, and ``weight``.

Examples
--------
>>> from cortex_model.language import Learn
>>> Learn("W", "-learning_rate", "delta_post*rate_pre").increment
'-learning_rate*delta_post*rate_pre'
"""

from cortex_model.language.dynamics import LEAKY, in_time
from cortex_model.language.moments import Carry, Fire, Host, Learn, Let, Pool, Settle, Show
from cortex_model.language.nonlinearities import NONLINEARITIES, Nonlinearity
from cortex_model.language.parts import SETTLED, Dynamics, Number, Projection
from cortex_model.language.placed import PlacedRule
from cortex_model.language.rule import Choice, Rule
from cortex_model.language.sequence import Climb, Descend, Repeat, Steps, Then

__all__ = [
    "LEAKY",
    "NONLINEARITIES",
    "SETTLED",
    "Carry",
    "Choice",
    "Climb",
    "Descend",
    "Dynamics",
    "Fire",
    "Host",
    "Learn",
    "Let",
    "Nonlinearity",
    "Number",
    "PlacedRule",
    "Pool",
    "Projection",
    "Repeat",
    "Rule",
    "Settle",
    "Show",
    "Steps",
    "Then",
    "in_time",
]
