"""Moments: what can happen, at once, in one place of a hierarchy.

Strings are Brian2's: statements and expressions over variables of neurons, in which the numbers of a rule may stand.
``paper`` keeps a moment's equation as the paper prints it, ``name`` what the equation is called everywhere.
"""

import ast
from dataclasses import dataclass, field


def _aside(default=""):
    """A field that says something of a moment without making it another one: shared moments are built once."""
    return field(default=default, compare=False, kw_only=True)


@dataclass(frozen=True)
class Let:
    """Neurons do this at once.

    Attributes
    ----------
    where : str
        Populations: ``input``, ``hidden``, ``top``, ``above input``, ``all``, levels such as ``2..L``, or an end of a
        projection's reciprocal pairs, ``pre of V``; ``&`` joins conditions.
    code : str
        Statements over the variables of one population, one a line: ``delta = rate - target``.
    from_onset : bool
        Where things take time: whether it happens only from the onset of feedback on.
    """

    where: str = field(compare=False)
    code: str
    name: str = _aside()
    paper: str = _aside()
    from_onset: bool = _aside(False)


@dataclass(frozen=True)
class Show(Let):
    """A `Let` that is held from the beginning of a stretch of time on: a stimulus, noise, what is sent from now on."""


@dataclass(frozen=True)
class Fire(Let):
    """Neurons for which a condition holds have an event, such as a spike, and at once do this.

    Attributes
    ----------
    where : str
        See `Let`.
    code : str
        Statements over the variables of one population, which happen in the neurons that have the event: a reset.
    event : str
        Its name, ``spike``. Projections, and changes of synapses, that wait for it (``on``) follow in the same round.
    when : str
        The condition: ``abs(potential) > threshold``.
    """

    event: str = field(kw_only=True)
    when: str = field(kw_only=True)


@dataclass(frozen=True)
class Settle:
    """A variable goes to a value: at once in settled dynamics, with a time constant in leaky ones.

    Attributes
    ----------
    where : str
        See `Let`.
    variable, towards : str
        The variable, and the expression that it goes to.
    before_onset : bool
        Where things take time: whether it also goes on before the onset of feedback, although it reads what waits for
        that (and is 0 until then).
    """

    where: str = field(compare=False)
    variable: str
    towards: str
    name: str = _aside()
    paper: str = _aside()
    before_onset: bool = _aside(False)


@dataclass(frozen=True)
class Carry:
    """Synapses of a projection carry a presynaptic variable: ``target`` = sum of weight x ``source``.

    Attributes
    ----------
    projection : str
        Name of the projection, ``W``.
    source, target : str
        Variable of the presynaptic, and of the postsynaptic population.
    levels : str
        Where not at all levels of the projection: ``2..L``, or ``levels of V``.
    on : str
        An event of the presynaptic neurons, such as ``spike``: at each, ``target`` grows by weight x ``source``, and is
        not summed anew.
    """

    projection: str
    source: str
    target: str
    levels: str = field(default="", compare=False)
    on: str = field(default="", kw_only=True)
    name: str = _aside()
    paper: str = _aside()


@dataclass(frozen=True)
class Learn:
    """Synapses of a projection change: weight += ``step`` x ``change``. Of a batch, by the mean over its stimuli.

    Attributes
    ----------
    projection : str
    step : str
        Product of numbers, such as ``-learning_rate``.
    change : str
        Expression over variables of either end (``delta_post``, ``rate_pre``), numbers, and ``weight``.
    levels : str
        See `Carry`.
    per : str
        The activity by whose power the step is divided where normalisation is chosen: ``rate_pre``; ``rate_pre of W``
        where it is the end of another projection of the same level.
    on : str
        An event of neurons at one end, ``spike_pre`` or ``spike_post``: only their synapses change, when they have it.
    """

    projection: str
    step: str
    change: str
    levels: str = field(default="", compare=False)
    per: str = _aside()
    on: str = field(default="", kw_only=True)
    name: str = _aside()
    paper: str = _aside()

    @property
    def increment(self) -> str:
        """Step times change as one expression; factors of a change are multiplied one after another, step first."""
        tree = ast.parse(self.change.strip(), mode="eval").body
        is_sum = isinstance(tree, ast.BinOp) and not isinstance(tree.op, ast.Mult | ast.Div | ast.Pow)
        is_whole = isinstance(tree, ast.Compare | ast.BoolOp | ast.UnaryOp) or is_sum
        return f"{self.step}*({self.change})" if is_whole else f"{self.step}*{self.change}"


@dataclass(frozen=True)
class Pool:
    """One neuron sums over a population: for softmax, or |h|^2.

    Attributes
    ----------
    where : str
        The populations that are summed over, each for itself.
    of, total : str
        The expression that is summed, and the variable that holds its sum.
    code : str
        Statements over ``total`` alone, which the same neuron does.
    seen_by : str
        Number of the population that sees what they give, ``l`` being that of the one summed over.
    """

    where: str = field(compare=False)
    of: str
    total: str
    code: str = ""
    seen_by: str = field(default="l", kw_only=True)
    name: str = _aside()
    paper: str = _aside()


@dataclass(frozen=True)
class Host:
    """Something that is not local, done in NumPy between presentations, before those of its phase.

    Attributes
    ----------
    projection : str
        At each of whose levels it is done.
    code : str
        One statement; projections of the level are matrices, shape (n_post, n_pre): ``V = pinv(W)``. What is assigned
        is a projection, or something that the rule remembers, at the projection's postsynaptic population.
    every : str
        The number that says before how many presentations it is done once; the first time before the first. Empty:
        a schedule says before which.
    levels : str
        Of the projection; all unless given.
    """

    projection: str
    code: str
    every: str = ""
    levels: str = ""
    name: str = _aside()
    paper: str = _aside()


Moment = Let | Show | Fire | Settle | Carry | Learn | Pool | Host
