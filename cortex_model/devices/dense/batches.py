"""Batches: presentations that share the synapses, so that each change is the sum of all their increments."""

from brian2.codegen.statements import Statement

from cortex_model.devices.dense.conditions import parts
from cortex_model.errors import DeviceError


class Batches:
    """Mixed into a code generator: where a batch shares the synapses, a change becomes an increment.

    Notes
    -----
    The templates then find the increment of one presentation in ``_increment``, and the array to which the sum of
    all belongs in ``incremented``.
    """

    def translate_statement_sequence(self, scalar_statements, vector_statements):
        """Brian2's code, a single ``variable += increment`` turned into its increment."""
        incremented = None
        if self.template_name == "stateupdate" and parts(self.owner)[1] > 1 and not self.auto_vectorise:
            statement = self._only_change(vector_statements[None])
            incremented = self.variables[statement.var]
            sign = "-" if statement.op == "-=" else ""
            increment = Statement("_increment", ":=", f"{sign}({statement.expr})", "", incremented.dtype)
            vector_statements = vector_statements | {None: [*vector_statements[None][:-1], increment]}
        scalar_code, vector_code, keywords = super().translate_statement_sequence(scalar_statements, vector_statements)
        keywords["incremented"] = self.get_array_name(incremented) if incremented is not None else ""
        keywords["increment_type"] = None if incremented is None else incremented.dtype
        return scalar_code, vector_code, keywords

    def _only_change(self, statements):
        *before, last = statements
        changes = [s for s in statements if self.variables.get(s.var) is not None and s.op != ":="]
        if changes != [last] or last.op not in ("+=", "-=") or last.var not in self.variables:
            raise DeviceError(
                f"dense.{self.owner.name}: must change its synapses by one statement variable += increment where a "
                f"batch shares them (got {'; '.join(s.code for s in statements)}); use batch=1."
            )
        return last
