"""A hierarchy, the numbers of its learning rule, and how much it sleeps."""

from collections.abc import Iterable
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, create_model, model_validator

from cortex_model.errors import ParameterError, RuleError, RunError, in_short
from cortex_model.language.places import Places
from cortex_model.parameters.hierarchy import HierarchyParameters
from cortex_model.parameters.interventions import (
    ON_RATES,
    Interventions,
    RelativeRates,
    check_within,
    factor_of,
    read_intervention,
    remembered_rates,
    steps_of,
)
from cortex_model.parameters.kinds import Count, PositiveCount, Rate
from cortex_model.parameters.model import parameter
from cortex_model.parameters.numbers import (
    check_precision,
    choice_field,
    choices_of_rules,
    number_field,
    numbers_of_rules,
    readers,
)
from cortex_model.parameters.recorded import Recorded, read_recorded
from cortex_model.parameters.times import IN_SPIKES, LEAKY, NOT_IN_SPIKES
from cortex_model.rules import own, rule_named
from cortex_model.state import kept
from cortex_model.system.sources import path_and_hash

#: A hierarchy with every number that a shipped rule may read.
RuleParameters = create_model(
    "RuleParameters",
    __base__=HierarchyParameters,
    __doc__="A hierarchy, and the numbers of every shipped learning rule.",
    **{name: choice_field(choice) for name, choice in choices_of_rules().items()},
    **{name: number_field(number) for name, number in numbers_of_rules().items()},
)


#: Parameters that change no name of a run where nothing is in them.
UNUSED_WHERE_EMPTY = ("interventions", "relative_learning_rates", "record")
#: What wake teaches by a rule -> a protocol in which it does.
PROTOCOLS = {"targets": "wake_sleep_classification", "stimuli": "helmholtz_machine", "sequences": "hippocampal_replay"}


def _kept(start_from: str) -> str:
    """The full name of what a run goes on from."""
    try:
        return kept.named(start_from) if start_from not in ("", "nothing") else ""
    except RunError as error:
        raise ValueError(str(error)) from None


StartFrom = Annotated[str, BeforeValidator(str), AfterValidator(_kept)]


class SleepWakeParameters(RuleParameters):
    """A hierarchy, its learning rule, and how much it sleeps."""

    #: What wake must teach by the learning rule (`cortex_model.language.Rule.task`); empty: anything.
    task: ClassVar[str] = ""

    initial_weights: Literal["gaussian", "he", "orthogonal"] = parameter(
        "gaussian", "W at the start: N(0, 1/n_lower), N(0, 2/n_lower), or orthonormal rows or columns"
    )
    initial_feedback_scale: Rate = parameter(1.0, "random V at the start, in units of the deviation of W^T")
    feedback_gain: Literal["none", "closed_form", "norm_matched"] = parameter(
        "closed_form", "g = 1, g = 1 + damping in sleep, or |W|_F/|V|_F in wake"
    )
    sleep_per_wake: Rate = parameter(1.0, "sleep presentations per wake presentation")
    sleep_before_presentations: Count = parameter(0, "sleep presentations before the first wake", "presentations")
    codegen_target: Literal["numpy", "cython"] = parameter("numpy", "what the runtime device generates")
    sleep_block_presentations: PositiveCount = parameter(
        1, "wake presentations between two blocks of sleep", "presentations"
    )
    start_from: StartFrom = parameter(
        "",
        "a finished run, or a file of Cortex.save, from which weights, noise and epochs go on; nothing: they are drawn",
    )

    relative_learning_rates: RelativeRates = parameter(
        (),
        "factors on the learning rates of projections, in wake and sleep; 0: it does not learn",
        form="texts separated by commas, each PROJECTION:FACTOR, such as W_1:0 or, for every level, V:0.5",
    )
    interventions: Interventions = parameter(
        (),
        "what is done to weights, or to learning rates, after so many presentations of wake",
        form="texts separated by commas, each {silence|shuffle|scale|freeze|release} PROJECTION [AMOUNT] at "
        "PRESENTATION, such as silence V_2 0.5 at 5000",
    )

    record: Recorded = parameter(
        (),
        "weights and rates that are recorded at each evaluation, into recordings.nc",
        form="names separated by commas: W_1, V_2, rate_1 ..., or W, V, b, rate for every level",
    )
    record_stimuli: tuple[Count, ...] = parameter(
        tuple(range(10)), "rows of the evaluated stimuli whose rates are recorded, from 0 on"
    )

    @property
    def has_relative_rates(self) -> bool:
        """Whether projections have learning rates of their own, at the start or later."""
        actions = (read_intervention(text).action for text in self.interventions)
        return bool(self.relative_learning_rates) or any(action in ON_RATES for action in actions)

    def relative_rate(self, projection: str, level: int) -> float:
        """The factor on the learning rates of a projection at a level."""
        return factor_of(self.relative_learning_rates, projection, level)

    def remembered_rates(self, places: Places) -> dict[tuple[int, str], float]:
        """See `HierarchyParameters`."""
        return remembered_rates(self.relative_learning_rates, places) if self.has_relative_rates else {}

    @property
    def perturbs_feedback(self) -> bool:
        """Whether the host disturbs V every ``perturb_every_presentations``."""
        return self.feedback_noise > 0 or self.feedback_levels > 0

    @property
    def noise_gain(self) -> float:
        """The gain g of the noise within a sleep rule; 1 where the rule has none."""
        return 1 + self.sleep_damping if self.dynamics == "spiking" else self.rule_values.get("noise_gain", 1.0)

    @property
    def sleep_damping(self) -> float:
        """The damping d of a sleep rule, of rates or in spikes; 0 where the rule has none in spikes."""
        return self.rule_values.get("feedback_damping", 0.0) if self.dynamics == "spiking" else self.damping

    def decisive(self) -> dict[str, Any]:
        """See `Parameters`; what a run goes on from is named by its content.

        Numbers that the rule does not read are left out where nobody has changed them: a rule that is added to the
        package changes no name of a run.
        """
        start_from = path_and_hash(self.start_from)[1]
        unused = {"start_from"} | {name for name in UNUSED_WHERE_EMPTY if not getattr(self, name)}
        unused |= set() if self.record else {"record_stimuli"}
        unused |= {name for name in self._unread if getattr(self, name) == type(self).model_fields[name].default}
        of_all = {name: value for name, value in super().decisive().items() if name not in unused}
        return of_all | ({"start_from": start_from} if start_from else {})

    @property
    def _unread(self) -> set[str]:
        """Numbers and choices of shipped rules that the learning rule does not have."""
        its = {*self.rule.numbers, *self.rule.dynamics.numbers, *rule_named(self.learning_rule).choices}
        return {*numbers_of_rules(), *choices_of_rules()} - its

    def check_asked(self, names: Iterable[str]) -> None:
        """See `Parameters`; a number belongs to the rules that read it."""
        names = {*names}
        if "record_stimuli" in names and not any(name.startswith("rate") for name in self.record):
            raise ParameterError(
                f"Parameters.record_stimuli: must be left out where record names no rates (got "
                f"{','.join(map(str, self.record_stimuli))}); add record=rate, or leave it out."
            )
        if self.dynamics == "spiking":
            self._check_in_spikes(names)
        in_spikes = rule_named(self.learning_rule).in_spikes
        of_spikes = {*in_spikes.numbers} if in_spikes and self.dynamics != "spiking" else set()
        for name in sorted(names & ({*of_spikes} - {*self.rule.numbers} | self._unread)):
            got = getattr(self, name)
            if name in of_spikes:
                raise ParameterError(
                    f"Parameters.{name}: must be left out where dynamics is {self.dynamics} (got {got:g}), for only "
                    "spikes have it; leave it out, or set dynamics=spiking."
                )
            if name in {n for form in rule_named(self.learning_rule).forms for n in form.numbers} and self.is_leaky:
                raise ParameterError(
                    f"Parameters.{name}: must be left out where dynamics is leaky (got {got:g}), for there time steps "
                    "take its place; leave it out, or set dynamics=settled."
                )
            having = readers(name)
            which = ", ".join(having) or "an option that is not chosen"
            reads = "reads" if len(having) < 2 else "read"
            raise ParameterError(
                f"Parameters.{name}: must be left out where learning_rule is {own.short(self.learning_rule)} "
                f"(got {got if isinstance(got, str) else f'{got:g}'}), for only {which} {reads} it; leave it out, or "
                "choose another rule."
            )

    def _check_in_spikes(self, names):
        """Refuse what means something for rates alone."""
        of_rates = {n for form in rule_named(self.learning_rule).forms for n in form.numbers} & self._unread
        for name in sorted(names & {*of_rates, *NOT_IN_SPIKES, *LEAKY} - {*IN_SPIKES}):
            others = ", ".join(sorted({*self.rule.numbers} - {*HierarchyParameters.model_fields}))
            raise ParameterError(
                f"Parameters.{name}: must be left out where dynamics is spiking (got {in_short(getattr(self, name))}), "
                f"for only rates have it; numbers of {own.short(self.learning_rule)} in spikes are {others}."
            )

    def _check_task(self):
        if self.task:
            check_task(self.learning_rule, self.task, "this protocol")

    @model_validator(mode="after")
    def _together(self) -> "SleepWakeParameters":
        try:
            values = self.rule_values
        except RuleError as error:
            where = "Parameters." if str(error).startswith("dynamics: ") else "Parameters: "
            raise ValueError(f"{where}{error}") from None
        check_precision(values, steps_of(self.rule, values, self.relative_learning_rates), self.dtype)
        if self.interventions or self.relative_learning_rates:
            check_within(self.rule, self.n_layers, self.interventions, self.relative_learning_rates)
        read_recorded(self.record, self.rule, self.n_layers)
        return self


def check_task(learning_rule: str, task: str, where: str) -> None:
    """Refuse a learning rule whose wake teaches something else.

    Raises
    ------
    ParameterError
        With a protocol to use instead.
    """
    its = rule_named(learning_rule).task
    if its != task:
        raise ParameterError(
            f"Parameters.learning_rule: must be a rule that learns {task} with {where} (got "
            f"{own.short(learning_rule)}, which learns {its}); use the protocol {PROTOCOLS[its]}."
        )
