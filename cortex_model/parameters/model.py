"""What every set of parameters can do: be checked when it is given, overridden, hashed and listed."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from copy import copy
from pathlib import PurePath
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, create_model

from cortex_model.errors import ParameterError, in_short
from cortex_model.parameters.offered import advice, not_offered


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
                    "default": str(default) or "nothing",
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
    if isinstance(value, PurePath):
        value = str(value)
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
    hint = advice(got, prop.get("enum", prop.get("choices", ())), name) or f"give another value{example}."
    return ParameterError(f"Parameters.{name}: must be {_range(prop)} (got {in_short(got)}); {hint}")


def content_hash(*contents: Any) -> str:
    """Twelve hexadecimal digits of the SHA-256 of ``contents`` as canonical JSON."""
    text = json.dumps(contents, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def parameter(
    default: Any,
    meaning: str,
    unit: str = "1",
    choices: tuple[str, ...] = (),
    or_else: str = "",
    form: str = "",
    **limits: Any,
) -> Any:
    """A field with its meaning, unit and limits.

    Where a validator says what it may be: with choices, and what else (``or_else``); or the form of a text.
    """
    extra = {"unit": unit} | ({"choices": list(choices), "or_else": or_else} if choices else {})
    extra |= {"form": form} if form else {}
    return Field(default, description=meaning, json_schema_extra=extra, **limits)


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
    if "const" in prop:
        return str(prop["const"]).lower() if isinstance(prop["const"], bool) else str(prop["const"])
    if choices := prop.get("enum", prop.get("choices")):
        or_else = f", or {prop['or_else']}" if prop.get("or_else") else ""
        return "one of " + ", ".join(map(str, choices)) + or_else
    if "form" in prop:
        return prop["form"]
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
