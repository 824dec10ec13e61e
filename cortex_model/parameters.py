"""Every number of a run: frozen, checked when it is given, with its unit, its range and a hash of all of them."""

import hashlib
import json
import math
import operator
from collections.abc import Iterable, Mapping
from copy import copy
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    create_model,
    model_validator,
)

from cortex_model.equations import NONLINEARITIES
from cortex_model.errors import ParameterError, in_short
from cortex_model.offered import advice, not_offered

#: Brian2's integers have 32 bits, with a sign.
LARGEST = 2**31 - 1
#: More seeds than anybody runs, and few enough to be listed.
MOST_SEEDS = 100_000


def _countable(number: int) -> int:
    if number > LARGEST:
        raise ValueError(f"must be at most {LARGEST} (got {in_short(number)}); give a smaller number.")
    return number


def checked_number(where: str, number: Any, most: int, what: str = "") -> int:
    """A whole number from 1 to ``most``.

    Raises
    ------
    ParameterError
        If it is none.
    """
    try:
        given = 0 if isinstance(number, bool) else operator.index(number)
    except TypeError:
        given = 0
    if not 1 <= given <= most:
        got = " ".join([in_short(number), what]).strip()
        raise ParameterError(f"{where}: must be a whole number from 1 to {most} (got {got}); give another one.")
    return given


def checked_seed(seed: Any, where: str = "--seed") -> int:
    """A seed: a whole number that Brian2's integers can hold.

    Raises
    ------
    ParameterError
        If it is none.
    """
    try:
        given = -1 if isinstance(seed, bool) else operator.index(seed)
    except TypeError:
        given = -1
    if not 0 <= given <= LARGEST:
        got = in_short(seed)
        raise ParameterError(f"{where}: must be a whole number from 0 to {LARGEST} (got {got}); give another one.")
    return given


Count = Annotated[int, Field(ge=0), AfterValidator(_countable)]
PositiveCount = Annotated[int, Field(ge=1), AfterValidator(_countable)]
Rate = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Duration = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Delays = Annotated[tuple[Rate, ...], Field(min_length=1)]
LayerSizes = Annotated[tuple[PositiveCount, ...], Field(min_length=2)]

LEARNING_RULES = (
    "reciprocal", "random_feedback", "backpropagation", "exact_pseudoinverse", "weight_mirror", "kolen_pollack",
    "direct_feedback",
)  # fmt: skip
LearningRule = Literal[LEARNING_RULES]
SleepRule = Literal["recirculation", "ben_israel", "hinton_mcclelland"]
Nonlinearity = Literal[tuple(NONLINEARITIES)]


class Parameters(BaseModel):
    """What every set of parameters can do: be checked, overridden, hashed and listed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def __init__(self, **values: Any):
        """Check every value, and that all go together.

        Raises
        ------
        ParameterError
            For an unknown name (the nearest valid one is named), a value out of range, or some that do not go together.
        """
        try:
            super().__init__(**{name: _read(type(self), name, value) for name, value in values.items()})
        except ValidationError as error:
            raise _complaint(type(self), error, values) from None

    def __setattr__(self, name: str, value: Any):
        """Refuse: what a run depends on never changes."""
        raise ParameterError(
            f"Parameters.{name}: must stay as it was given (got {in_short(value)} for it); "
            f"make other parameters with with_overrides({{{name!r}: ...}})."
        )

    def with_overrides(self, overrides: dict[str, Any]) -> "Parameters":
        """These parameters with some of them replaced.

        Parameters
        ----------
        overrides : dict
            Name -> value; a text value is read as the parameter's type (``"784,256,10"`` as layer sizes).

        Raises
        ------
        ParameterError
            For an unknown name (the nearest valid one is named) or a value out of range.
        """
        if not isinstance(overrides, Mapping):
            raise ParameterError(
                f"Parameters: must be given as a dictionary, name -> value (got {in_short(overrides)}); write one."
            )
        return type(self)(**(self.model_dump() | {str(name): value for name, value in overrides.items()}))

    def check_asked(self, names: Iterable[str]) -> None:
        """Refuse what was asked for by name and would be passed over in silence.

        Raises
        ------
        ParameterError
            For a parameter that decides nothing beside the others and that people take for something else.
        """

    @classmethod
    def read(cls, name: str, value: Any) -> Any:
        """One parameter's value by itself, a text read as the parameter's type.

        Raises
        ------
        ParameterError
            For an unknown name or a value out of range; whether it goes with the others is not asked.
        """
        read = _read(cls, name, value)
        field = cls.model_fields[name]
        try:
            return TypeAdapter(Annotated[field.annotation, field]).validate_python(read)
        except ValidationError as error:
            raise _complaint(cls, error, {name: value}, name) from None

    @property
    def content_hash(self) -> str:
        """Twelve hexadecimal digits that name these parameters (SHA-256 of their canonical JSON)."""
        return content_hash(type(self).__name__, self.decisive())

    def decisive(self) -> dict[str, Any]:
        """Every parameter that a result can depend on, as JSON has it."""
        return self.model_dump(mode="json")

    @classmethod
    def table(cls) -> list[dict[str, str]]:
        """One row a parameter: name, default, unit, range and meaning, for the documentation."""
        rows = []
        for name, prop in cls.model_json_schema()["properties"].items():
            field = cls.model_fields[name]
            default = field.default
            if isinstance(default, tuple):
                default = ",".join(map(str, default))
            rows.append(
                {
                    "name": name,
                    "default": str(default),
                    "unit": prop.get("unit", "1"),
                    "range": _range(prop),
                    "meaning": field.description or "",
                }
            )
        return rows


def _read(model, name, value):
    """A value as pydantic reads it without guessing: a text with commas as a list, NumPy's numbers as Python's."""
    fields = model.model_fields
    if name not in fields:
        hint = not_offered(value) or advice(name, fields) or f"known are {', '.join(sorted(fields))}."
        raise ParameterError(f"Parameters.{in_short(name)[1:-1]}: must be the name of a parameter; {hint}")
    default = fields[name].default
    if hasattr(value, "dtype") and hasattr(value, "tolist") and not isinstance(value, type):
        value = value.tolist()
    if isinstance(value, str) and isinstance(default, tuple):
        return [part.strip() for part in value.split(",")]
    if _holds_numbers(default) and (isinstance(value, set | frozenset | bytes) or _holds_switches(value)):
        raise _misfit(model, name, value)
    return value


def _holds_switches(value):
    return any(isinstance(each, bool) for each in (value if isinstance(value, list | tuple) else [value]))


def _holds_numbers(default):
    numbers = default if isinstance(default, tuple) else (default,)
    return all(isinstance(number, int | float) for number in numbers) and not _holds_switches(numbers)


def _complaint(model, error, values, name=""):
    """The first of pydantic's complaints as one clear sentence."""
    first = error.errors(include_url=False, include_context=False)[0]
    name, message = name or str((first["loc"] or ("",))[0]), first["msg"].partition(", ")[2]
    if not name:
        return ParameterError(message if message.startswith("Parameters") else f"Parameters: {message}")
    if first["type"] == "value_error":
        return ParameterError(f"Parameters.{name}: {message}")
    return _misfit(model, name, values.get(name))


def _misfit(model, name, got):
    prop, field = model.model_json_schema()["properties"].get(name, {}), model.model_fields[name]
    example = "" if field.is_required() else f", such as the default {in_short(field.default)}"
    hint = advice(got, prop.get("enum", ()), name) or f"give another value{example}."
    return ParameterError(f"Parameters.{name}: must be {_range(prop)} (got {in_short(got)}); {hint}")


def content_hash(*contents: Any) -> str:
    """Twelve hexadecimal digits of the SHA-256 of ``contents`` as canonical JSON."""
    text = json.dumps(contents, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def parameter(default: Any, meaning: str, unit: str = "1", **limits: Any) -> Any:
    """A field with its meaning, unit and limits."""
    return Field(default, description=meaning, json_schema_extra={"unit": unit}, **limits)


def with_default(model: type[Parameters], name: str, default: Any) -> Any:
    """The field ``name`` of ``model`` with another default, for a protocol's own parameters."""
    field = copy(model.model_fields[name])
    field.default = default
    return field


def with_defaults(model: type[Parameters], defaults: dict[str, Any]) -> type[Parameters]:
    """``model`` with other defaults, for a protocol that takes over another one's parameters."""
    fields = {
        name: (model.model_fields[name].annotation, with_default(model, name, defaults[name])) for name in defaults
    }
    return create_model(model.__name__, __base__=model, __doc__=model.__doc__, **fields)


def _range(prop: dict[str, Any]) -> str:
    if "enum" in prop:
        return "one of " + ", ".join(map(str, prop["enum"]))
    if prop.get("type") == "array":
        return f"at least {prop.get('minItems', 1)} numbers separated by commas, each {_range(prop['items'])}"
    kind = {"integer": "a whole number", "number": "a number", "boolean": "true or false", "string": "a name"}
    text = kind.get(prop.get("type", ""), "a value")
    limits = [
        f"{words} {prop[key]:g}"
        for key, words in (
            ("minimum", "at least"),
            ("exclusiveMinimum", "above"),
            ("maximum", "at most"),
            ("exclusiveMaximum", "below"),
        )
        if key in prop
    ]
    return " ".join([text, " and ".join(limits)]).strip()


#: Parameters that nothing depends on in the settled mode; those of the second row are compiled into a program.
LEAKY = (
    "dynamics", "time_constant_ms", "presentation_ms", "feedback_onset_ms",
    "time_step_ms", "forward_delay_ms", "feedback_delay_ms",
)  # fmt: skip

#: What is on its way along an axon is kept step by step, in compiled equations.
MOST_STEPS_DELAYED = 100


class HierarchyParameters(Parameters):
    """What a hierarchy is made of, and which plasticity it can have."""

    layer_sizes: LayerSizes = parameter((64, 32, 10), "neurons in each population, input first", "neurons")
    nonlinearity: Nonlinearity = parameter("tanh", "rate of the hidden populations, sigma of the basal drive")
    top: Literal["linear", "sigmoid", "softmax"] = parameter("softmax", "rate of the top population")
    biases: bool = parameter(True, "whether populations above the input have a bias")
    feedback_to_input: bool = parameter(False, "whether V_1 exists: first population back to the input")
    slope_rule: Literal["derivative", "reciprocal", "none"] = parameter(
        "derivative", "D_l: sigma', its reciprocal, or 1"
    )
    presynaptic_normalisation: bool = parameter(
        False, "whether weight_update is divided by |h|^2 (+1 with a bias): parameter_reciprocal"
    )
    sleep_rule: SleepRule = parameter("recirculation", "how feedback and forward weights change in sleep")
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
        "stimuli (in sleep: noise patterns) that one slot presents together; plasticity follows their mean",
        "stimuli",
    )
    chunk_presentations: PositiveCount = parameter(
        5000, "slots (leaky: as many presentations) that one chunk can hold, between two looks from outside", "slots"
    )
    dynamics: Literal["settled", "leaky"] = parameter(
        "settled", "a presentation is one moment in which all settles, or rates relax in time; the times are leaky's"
    )
    time_constant_ms: Duration = parameter(10.0, "tau of every rate, error and compartment", "ms")
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

    @model_validator(mode="after")
    def _dense_batches(self) -> "HierarchyParameters":
        if self.batch_size > 1 and not self.dense:
            raise ValueError(
                f"batch_size must be 1 where dense is false (got {self.batch_size}); "
                "set dense=true, since stock Brian2 has one synapse a pair of neurons."
            )
        return self

    @model_validator(mode="after")
    def _whole_steps(self) -> "HierarchyParameters":
        if not self.is_leaky:
            return self
        times = {name: np.atleast_1d(getattr(self, name)) for name in LEAKY[2:4] + LEAKY[5:]}
        for name, time in ((name, time) for name, several in times.items() for time in several):
            steps = float(time) / self.time_step_ms
            if not steps <= LARGEST:
                raise ValueError(
                    f"{name} must be at most {LARGEST} time steps where dynamics is leaky (got {time:g} ms with "
                    f"time_step_ms {self.time_step_ms:g}); change one of them."
                )
            if abs(steps - round(steps)) > 1e-6:
                raise ValueError(
                    f"{name} must be a whole number of time steps where dynamics is leaky (got {time:g} ms with "
                    f"time_step_ms {self.time_step_ms:g}); change one of them."
                )
        if self.feedback_onset_ms >= self.presentation_ms:
            raise ValueError(
                f"feedback_onset_ms must be before the end of the presentation, at {self.presentation_ms:g} ms "
                f"(got {self.feedback_onset_ms:g} ms); lower it, or raise presentation_ms."
            )
        for name, levels in (("forward", range(1, self.n_layers + 1)), ("feedback", self.feedback_layers)):
            delays = getattr(self, f"{name}_delay_ms")
            if len(delays) not in (1, len(levels)):
                raise ValueError(
                    f"{name}_delay_ms must be one number, or one for each of the {len(levels)} {name} projections "
                    f"(got {len(delays)}); give as many."
                )
            if max(delays) >= self.presentation_ms or max(delays) > MOST_STEPS_DELAYED * self.time_step_ms:
                raise ValueError(
                    f"{name}_delay_ms must be shorter than presentation_ms and at most {MOST_STEPS_DELAYED} steps of "
                    f"time_step_ms (got {max(delays):g} ms); shorten it."
                )
        return self

    @property
    def is_leaky(self) -> bool:
        """Whether a presentation takes time."""
        return self.dynamics == "leaky"

    @property
    def n_steps(self) -> int:
        """Time steps, each a slot, of a presentation (in sleep: of a half cycle); 1 in the settled mode."""
        return self._steps(self.presentation_ms) if self.is_leaky else 1

    @property
    def chunk_slots(self) -> int:
        """Slots that one chunk can hold."""
        return self.chunk_presentations * self.n_steps

    @property
    def onset_step(self) -> int:
        """The step at whose end the error is first at the top."""
        return max(self._steps(self.feedback_onset_ms), 1) - 1 if self.is_leaky else 0

    @property
    def relaxation(self) -> float:
        """The part of the way to where it goes that a rate covers in a step: 1 - exp(-dt/tau)."""
        return -math.expm1(-self.time_step_ms / self.time_constant_ms) if self.is_leaky else 1.0

    @property
    def forward_delays(self) -> dict[int, int]:
        """Steps that what W_l carries is on its way: l -> number."""
        return self._delays(self.forward_delay_ms, range(1, self.n_layers + 1))

    @property
    def feedback_delays(self) -> dict[int, int]:
        """Steps that what V_l carries is on its way: l -> number."""
        return self._delays(self.feedback_delay_ms, self.feedback_layers)

    def _steps(self, time):
        return round(time / self.time_step_ms)

    def _delays(self, delays, levels):
        times = delays * len(levels) if len(delays) == 1 else delays
        return {l: self._steps(time) if self.is_leaky else 0 for l, time in zip(levels, times, strict=True)}

    @property
    def n_layers(self) -> int:
        """L: the number of populations above the input."""
        return len(self.layer_sizes) - 1

    @property
    def feedback_layers(self) -> list[int]:
        """The l for which a feedback projection V_l exists, lowest first."""
        return list(range(1 if self.feedback_to_input else 2, self.n_layers + 1))

    @property
    def feedback_from_top(self) -> bool:
        """Whether every feedback projection comes from the top population, and not from the next one."""
        return False

    def feedback_shape(self, level: int) -> tuple[int, int]:
        """Shape of V_l: (n_{l-1}, n_l), or (n_{l-1}, n_L) where it comes from the top."""
        return self.layer_sizes[level - 1], self.layer_sizes[-1 if self.feedback_from_top else level]

    def decisive(self) -> dict[str, Any]:
        """See `Parameters`; times decide nothing in the settled mode."""
        return self.model_dump(mode="json", exclude=set() if self.is_leaky else set(LEAKY))

    def structure(self) -> dict[str, Any]:
        """What a compiled program depends on; everything else is handed over as numbers."""
        left_out = {"chunk_presentations", *(LEAKY[1:4] if self.is_leaky else LEAKY)}
        fields = {name: getattr(self, name) for name in HierarchyParameters.model_fields if name not in left_out}
        return fields | ({"feedback_from_top": True} if self.feedback_from_top else {})


class SleepWakeParameters(HierarchyParameters):
    """A hierarchy, its learning rule, and how much it sleeps."""

    learning_rule: LearningRule = parameter("reciprocal", "what the feedback projections are and how they learn")
    learning_rate: Rate = parameter(0.005, "lambda: step of weight_update in wake")
    slope_cutoff: Rate = parameter(0.1, "slopes below it count as 0 where slope_rule is reciprocal")
    initial_weights: Literal["gaussian", "he", "orthogonal"] = parameter(
        "gaussian", "W at the start: N(0, 1/n_lower), N(0, 2/n_lower), or orthonormal rows or columns"
    )
    initial_feedback_scale: Rate = parameter(1.0, "random V at the start, in units of the deviation of W^T")
    sleep_learning_rate: Rate = parameter(0.001, "eta: step of feedback_update in sleep")
    forward_sleep_learning_rate: Rate = parameter(0.0, "eta_f: step of forward_update in sleep; 0 holds W")
    damping: Rate = parameter(0.0, "decay in sleep: 0 pseudoinverse ... large: transpose")
    feedback_gain: Literal["none", "closed_form", "norm_matched"] = parameter(
        "closed_form", "g = 1, g = 1 + damping in sleep, or |W|_F/|V|_F in wake"
    )
    gain_update_presentations: PositiveCount = parameter(
        1000, "wake presentations between two refreshments of the norm_matched gain", "presentations"
    )
    feedback_noise: Rate = parameter(
        0.0, "V is perturbed: gaussian noise of this deviation is added, in units of that of W's entries"
    )
    feedback_levels: Count = parameter(
        0, "V is perturbed: rounded to as many levels between -max|V| and max|V|; 0: it is not", "levels"
    )
    perturb_every_presentations: PositiveCount = parameter(
        1000, "wake presentations between two perturbations of V", "presentations"
    )
    weight_decay: Annotated[float, Field(ge=0, lt=1)] = parameter(
        0.001, "part of V and of its W that kolen_pollack loses in each wake presentation"
    )
    pseudoinverse_every_presentations: PositiveCount = parameter(
        100, "wake presentations between two pseudoinverses of exact_pseudoinverse", "presentations"
    )
    regression: Annotated[float, Field(ge=0, lt=1)] = parameter(
        0.75, "r of hinton_mcclelland: how much of the earlier moment stays"
    )
    sleep_per_wake: Rate = parameter(1.0, "sleep presentations per wake presentation")
    sleep_before_presentations: Count = parameter(0, "sleep presentations before the first wake", "presentations")
    codegen_target: Literal["numpy", "cython"] = parameter("numpy", "what the runtime device generates")
    sleep_block_presentations: PositiveCount = parameter(
        1, "wake presentations between two blocks of sleep", "presentations"
    )

    @property
    def feedback_from_top(self) -> bool:
        """See `HierarchyParameters`; so it is in direct_feedback."""
        return self.learning_rule == "direct_feedback"

    @property
    def perturbs_feedback(self) -> bool:
        """Whether the host disturbs V every ``perturb_every_presentations``."""
        return self.feedback_noise > 0 or self.feedback_levels > 0

    @property
    def noise_gain(self) -> float:
        """The gain g of the noise within a sleep rule: 1 + damping for closed_form, else 1."""
        return 1.0 + self.damping if self.feedback_gain == "closed_form" else 1.0

    def check_asked(self, names: Iterable[str]) -> None:
        """See `Parameters`; weight decay belongs to one rule."""
        if "weight_decay" in names and self.weight_decay and self.learning_rule != "kolen_pollack":
            raise ParameterError(
                f"Parameters.weight_decay: must be left out where learning_rule is {self.learning_rule} "
                f"(got {self.weight_decay:g}), for only kolen_pollack loses weight in wake; decay in general is not "
                "offered, and the nearest is damping, with which weights decay in sleep."
            )

    @model_validator(mode="after")
    def _together(self) -> "SleepWakeParameters":
        forward_sleeps = self.learning_rule == "reciprocal" and self.forward_sleep_learning_rate > 0
        if self.sleep_rule == "ben_israel" and forward_sleeps:
            raise ValueError(
                "forward_sleep_learning_rate must be 0 where sleep_rule is ben_israel "
                f"(got {self.forward_sleep_learning_rate:g}); that rule is for the feedback weights alone."
            )
        if self.learning_rule == "weight_mirror" and (self.sleep_rule != "recirculation" or self.damping == 0):
            raise ValueError(
                "damping must be above 0 and sleep_rule recirculation where learning_rule is weight_mirror "
                f"(got {self.damping:g} and {self.sleep_rule}), because nothing else bounds its feedback weights; "
                "set damping=1."
            )
        if self.feedback_levels == 1:
            raise ValueError("feedback_levels must be 0 or at least 2 (got 1); with one level every weight would be 0.")
        if self.perturbs_feedback and (
            self.feedback_gain == "norm_matched" or self.learning_rule == "exact_pseudoinverse"
        ):
            raise ValueError(
                "feedback_noise and feedback_levels must be 0 where the host changes V for another reason, "
                f"feedback_gain=norm_matched or learning_rule=exact_pseudoinverse (got {self.feedback_noise:g} and "
                f"{self.feedback_levels}); choose another gain or rule."
            )
        if self.sleep_rule != "recirculation" and self.feedback_gain == "closed_form" and self.damping > 0:
            raise ValueError(
                f"feedback_gain must be none or norm_matched where sleep_rule is {self.sleep_rule} and damping > 0 "
                f"(got closed_form with damping {self.damping:g}); the closed form belongs to recirculation."
            )
        if forward_sleeps and self.damping >= self.noise_gain:
            raise ValueError(
                f"damping must be below the gain {self.noise_gain:g} where forward weights sleep too "
                f"(got {self.damping:g}), because both weights would vanish; lower damping or set "
                "feedback_gain=closed_form."
            )
        return self
