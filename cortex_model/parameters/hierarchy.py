"""A hierarchy: its sizes, its learning rule and the options of that, and how long things take."""

import math
from collections.abc import Iterable
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, model_validator
from pydantic_core import PydanticCustomError

from cortex_model.errors import RuleError
from cortex_model.language.nonlinearities import NONLINEARITIES, SLOPE_RULES, TOPS
from cortex_model.language.places import Places
from cortex_model.language.rule import Rule
from cortex_model.language.sizes import misfit
from cortex_model.parameters.chosen import chosen_rule, feedback_of
from cortex_model.parameters.kinds import Delays, Duration, LayerSizes, PositiveCount, Rate
from cortex_model.parameters.model import Parameters, parameter
from cortex_model.parameters.times import IN_SPIKES, LEAKY, NOT_IN_SPIKES, check_times
from cortex_model.rules import own, rule_named, shipped


def _known_rule(name: str) -> str:
    """The name of a shipped rule, or the full one of a file that declares one."""
    if own.is_own(name):
        try:
            return own.named(name)
        except RuleError as error:
            raise ValueError(str(error).removeprefix("learning_rule: ")) from None
    if name not in shipped():
        raise PydanticCustomError("choice", "no such rule")
    return name


def _written(given: Any) -> Any:
    """The file of a rule that was made in Python."""
    return own.named(given) if isinstance(given, Rule) else given


def _known_row(name: str) -> str:
    if name not in NONLINEARITIES:
        raise PydanticCustomError("choice", "no such nonlinearity")
    return name


#: Choices that are more than those that come with the package: a file of one's own adds to them.
LearningRule = Annotated[str, BeforeValidator(_written), AfterValidator(_known_rule)]
Nonlinearity = Annotated[str, AfterValidator(_known_row)]

#: Parameters that are options of a learning rule.
RULE_OPTIONS = (
    "nonlinearity", "top", "slope_rule", "biases", "feedback_to_input", "presynaptic_normalisation",
    "sleep_normalisation",
)  # fmt: skip


class HierarchyParameters(Parameters):
    """What a hierarchy is made of, and which plasticity it can have."""

    #: Of a class that a file of one's own has added numbers to: the class that it added them to.
    extends: ClassVar[type | None] = None

    layer_sizes: LayerSizes = parameter((64, 32, 10), "neurons in each population, input first", "neurons")
    learning_rule: LearningRule = parameter(
        "reciprocal",
        "what is joined, what happens in a presentation and how synapses change",
        choices=tuple(shipped()),
        or_else="a Python file that declares a rule",
    )
    nonlinearity: Nonlinearity = parameter(
        "tanh", "rate of the hidden populations, sigma of the basal drive", choices=tuple(NONLINEARITIES)
    )
    top: Literal[tuple(TOPS)] = parameter("softmax", "rate of the top population")
    biases: bool = parameter(True, "whether populations above the input have a bias")
    feedback_to_input: bool = parameter(False, "whether V_1 exists: first population back to the input")
    slope_rule: Literal[tuple(SLOPE_RULES)] = parameter("derivative", "D_l: sigma', its reciprocal, or 1")
    presynaptic_normalisation: bool = parameter(
        False, "whether weight_update is divided by |h|^2 (+1 with a bias): parameter_reciprocal"
    )
    noise_distribution: Literal["uniform", "gaussian", "rademacher"] = parameter(
        "uniform", "distribution of the sleep noise, mean 0, variance 1"
    )
    sleep_normalisation: bool = parameter(
        False, "whether a step in sleep is divided by the presynaptic power; stable for rates below 2"
    )
    dtype: Literal["float32", "float64"] = parameter("float32", "precision of every number of the model")
    dense: bool = parameter(
        True, "whether projections run over dense loops; false: over the index arrays of stock Brian2"
    )
    batch_size: PositiveCount = parameter(
        1,
        "stimuli (in sleep: noise patterns) that are presented together; plasticity follows their mean",
        "stimuli",
    )
    chunk_presentations: PositiveCount = parameter(
        5000, "presentations (or batches) that one chunk can hold, between two looks from outside", "presentations"
    )
    dynamics: Literal["settled", "leaky", "spiking"] = parameter(
        "settled", "a presentation is one moment in which all settles, or rates relax in time, or neurons send spikes"
    )
    time_constant_ms: Duration = parameter(10.0, "tau of every rate, error and compartment where leaky", "ms")
    time_step_ms: Duration = parameter(1.0, "dt", "ms")
    presentation_ms: Duration = parameter(
        100.0,
        "of a stimulus; in sleep of each half cycle (a descending one takes two); synapses change at its end",
        "ms",
    )
    feedback_onset_ms: Rate = parameter(50.0, "time in wake from which the error is held at the top", "ms")
    forward_delay_ms: Delays = parameter(
        (0.0,), "conduction delay of forward projections: one for all, or one for each, lowest first", "ms"
    )
    feedback_delay_ms: Delays = parameter(
        (0.0,), "conduction delay of feedback projections: one for all, or one for each, lowest first", "ms"
    )

    def __new__(cls, **values: Any):
        """Parameters of a rule that a file declares are of a class that has the rule's numbers, too."""
        from cortex_model.parameters.own import model_for

        return super().__new__(model_for(cls, values.get("learning_rule")))

    @classmethod
    def of_rules(cls, learning_rules: Iterable[Any]) -> type["HierarchyParameters"]:
        """The class with the numbers of every rule among some that a file declares, for reading them."""
        from cortex_model.parameters.own import extended

        model = cls
        for rule in learning_rules:
            model = extended(model, own.named(rule)) if own.is_own(rule) else model
        return model

    @model_validator(mode="after")
    def _rule_fits(self) -> "HierarchyParameters":
        self._check_task()
        if sentence := misfit(rule_named(self.learning_rule).form(dict(self.choices)), self.layer_sizes):
            raise ValueError(f"Parameters.layer_sizes: {sentence}")
        return self

    def _check_task(self):
        """Refuse a rule that learns something else than what is to be taught: here anything may be."""

    @model_validator(mode="after")
    def _dense_batches(self) -> "HierarchyParameters":
        if self.batch_size > 1 and not self.dense:
            raise ValueError(
                f"batch_size must be 1 where dense is false (got {self.batch_size}); "
                "set dense=true, since stock Brian2 has one synapse a pair of neurons."
            )
        return self

    @model_validator(mode="after")
    def _times_fit(self) -> "HierarchyParameters":
        if self.takes_time:
            check_times(self)
        return self

    @property
    def is_leaky(self) -> bool:
        """Whether rates relax in time."""
        return self.dynamics == "leaky"

    @property
    def takes_time(self) -> bool:
        """Whether a presentation takes time."""
        return self.dynamics != "settled"

    @property
    def output(self) -> str:
        """What the top population's answer is compared to a target as: a row of `TOPS`; spikes are counted, linear."""
        return "linear" if self.dynamics == "spiking" else self.top

    @property
    def n_steps(self) -> int:
        """Time steps, each a slot, of a presentation (in sleep: of a half cycle); 1 in the settled mode."""
        return self._steps(self.presentation_ms) if self.takes_time else 1

    @property
    def onset_step(self) -> int:
        """The step at whose end the error is first at the top."""
        return max(self._steps(self.feedback_onset_ms), 1) - 1 if self.is_leaky else 0

    @property
    def relaxation(self) -> float:
        """The part of the way to where it goes that a rate covers in a step: 1 - exp(-dt/tau)."""
        return -math.expm1(-self.time_step_ms / self.time_constant_ms) if self.is_leaky else 1.0

    @property
    def delays(self) -> dict[tuple[str, int], int]:
        """Time steps that what a projection carries is on its way: ("W", l) or ("V", l) -> number."""
        found = {}
        for name, given, levels in (
            ("W", self.forward_delay_ms, range(1, self.n_layers + 1)),
            ("V", self.feedback_delay_ms, self.feedback_layers),
        ):
            times = given * len(levels) if len(given) == 1 else given
            found |= {(name, l): self._steps(time) for l, time in zip(levels, times, strict=True)}
        return found if self.is_leaky else dict.fromkeys(found, 0)

    def _steps(self, time):
        return round(time / self.time_step_ms)

    @property
    def n_layers(self) -> int:
        """L: the number of populations above the input."""
        return len(self.layer_sizes) - 1

    @property
    def choices(self) -> tuple[tuple[str, str], ...]:
        """What chooses the form of the learning rule: (parameter, word)."""
        names = (name for name in rule_named(self.learning_rule).choices if hasattr(self, name))
        return tuple((name, getattr(self, name)) for name in names)

    @property
    def rule_options(self) -> dict[str, Any]:
        """Options of the learning rule (`cortex_model.language.options.configured`)."""
        chosen = {name: getattr(self, name) for name in RULE_OPTIONS}
        gain = getattr(self, "feedback_gain", "none")
        chosen |= {"choices": self.choices} if self.choices else {}
        return chosen | {"feedback_gain": gain, "relative_rates": self.has_relative_rates}

    @property
    def has_relative_rates(self) -> bool:
        """Whether projections have learning rates of their own."""
        return False

    def remembered_rates(self, places: Places) -> dict[tuple[int, str], float]:
        """Factors on learning rates: (population, name of what it remembers) -> factor; none without such."""
        return {}

    @property
    def perturbs_feedback(self) -> bool:
        """Whether the host disturbs V."""
        return False

    @property
    def rule(self) -> Rule:
        """The learning rule with all options chosen, in time where ``dynamics`` is leaky, in spikes where spiking."""
        return chosen_rule(self.learning_rule, self.dynamics, self.perturbs_feedback, **self.rule_options)

    @property
    def rule_values(self) -> dict[str, float]:
        """Every number of the rule, by name.

        Raises
        ------
        RuleError
            For one that is out of the rule's range, and for some that do not go together.
        """
        known = {**self.rule.dynamics.numbers, **self.rule.numbers}
        fields = {*type(self).model_fields, "relaxation"}
        return self.rule.values({name: getattr(self, name) for name in known if name in fields})

    @property
    def feedback_layers(self) -> list[int]:
        """The l for which the rule has a feedback projection V_l, lowest first."""
        return feedback_of(self.learning_rule, self.choices, self.feedback_to_input, self.n_layers)[0]

    @property
    def feedback_from_top(self) -> bool:
        """Whether every feedback projection comes from the top population, and not from the next one."""
        return feedback_of(self.learning_rule, self.choices, self.feedback_to_input, self.n_layers)[1]

    def feedback_shape(self, level: int) -> tuple[int, int]:
        """Shape of V_l: (n_{l-1}, n_l), or (n_{l-1}, n_L) where it comes from the top."""
        return self.layer_sizes[level - 1], self.layer_sizes[-1 if self.feedback_from_top else level]

    def decisive(self) -> dict[str, Any]:
        """See `Parameters`; times decide nothing in the settled mode, nor nonlinearities in spikes."""
        kept = {"settled": (), "leaky": LEAKY, "spiking": IN_SPIKES}[self.dynamics]
        unused = {*LEAKY} - {*kept} | ({*NOT_IN_SPIKES} if self.dynamics == "spiking" else set())
        of_all = self.model_dump(mode="json", exclude=unused)
        return of_all | {"learning_rule": own.short(self.learning_rule)}
