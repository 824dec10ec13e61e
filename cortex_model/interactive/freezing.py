"""Freezing projections of a `Cortex`: they keep their weights until they are released."""

from typing import Any

from cortex_model.errors import ParameterError
from cortex_model.language.options import RELATIVE_RATE
from cortex_model.parameters.interventions import learning_levels, projection_named, read_name, read_relative_rate
from cortex_model.rules.own import short


class Freezing:
    """A `Cortex` whose projections have learning rates of their own."""

    def freeze(self, *projections: str) -> Any:
        """Let projections keep their weights, in wake and in sleep.

        Parameters
        ----------
        *projections : str
            ``"W_1"``, ``"V_2"``, ``"b"`` (every level) ...

        Returns
        -------
        cortex : Cortex
            Itself.

        Raises
        ------
        ParameterError
            For a projection that there is not, or that does not learn by the rule.
        """
        return self._with_rates("freeze", projections, 0.0)

    def release(self, *projections: str) -> Any:
        """Let projections learn again, by the learning rates of the rule; see `freeze`."""
        return self._with_rates("release", projections, 1.0)

    def _with_rates(self, what, projections, factor):
        p = self.parameters
        rates = {read_relative_rate(text)[:2]: read_relative_rate(text)[2] for text in p.relative_learning_rates}
        learning = learning_levels(p.rule, p.n_layers)
        for text in projections:
            try:
                name, level = read_name(str(text))
            except ValueError as error:
                raise ParameterError(f"Cortex.{what}: {error} Give names one by one.") from None
            if not learning.get(name) or level not in {None, *learning[name]}:
                learn = ", ".join(sorted(f"{n}_{l}" for n, levels in learning.items() for l in levels))
                raise ParameterError(
                    f"Cortex.{what}: must name projections that learn by rule {short(p.learning_rule)}, {learn} "
                    f"(got {text!r})."
                )
            if (name, None) in rates:  # each level by itself, so that one can differ
                every = rates.pop((name, None))
                rates = {(name, l): every for l in sorted(learning[name])} | rates
            rates |= {(name, l): factor for l in (sorted(learning[name]) if level is None else [level])}
        self._change_rates({projection_named(*key): rate for key, rate in rates.items()})
        self.history.append({"what": " ".join([what, *map(str, projections)]), "wake": 0, "sleep": 0,
                             "device": self.device})  # fmt: skip
        return self

    def _change_rates(self, rates):
        if self._simulation is not None and not self.parameters.has_relative_rates:
            raise ParameterError(
                "Cortex.freeze: must come before the Brian2 objects are asked for (got a hierarchy whose equations are "
                "made); give relative_learning_rates to Cortex, such as {'W_1': 1.0}."
            )
        self.parameters = self.parameters.with_overrides({"relative_learning_rates": rates})
        self.remembered = {n: v for n, v in self.remembered.items() if not n.startswith(RELATIVE_RATE)}
