"""Rows that change nothing: where a presynaptic neuron's 0 multiplies every change of its synapses.

Most pixels of an image of a digit are 0, and so are the rates of rectified neurons: their synapses add 0 to a sum
and change by 0. Whether that is so is read off the model's own equation: it must be one product, such as
``weight*rate_pre`` or ``weight += -learning_rate*delta_post*rate_pre``.
"""

import ast


def factors_of(expression: str) -> set[str]:
    """Names of which ``expression`` is a multiple.

    Examples
    --------
    >>> sorted(factors_of("-rate*(delta_post - 1)*rate_pre/2"))
    ['rate', 'rate_pre']
    """

    def factors(node):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            return factors(node.left) | factors(node.right)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            return factors(node.left)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return factors(node.operand)
        return {node.id} if isinstance(node, ast.Name) else set()

    return factors(ast.parse(expression, mode="eval").body)


class SilentRows:
    """Mixed into a code generator: tells the templates, as ``silent``, when a row can be passed over.

    Notes
    -----
    The other factors must be finite: 0 times infinity would have been NaN. Code that draws random numbers passes
    over nothing, so that its draws stay the same.
    """

    #: The language's "or".
    either = " || "

    def translate_statement_sequence(self, scalar_statements, vector_statements):
        """Brian2's code, and the condition on ``_presynaptic_idx`` under which it does nothing."""
        scalar_code, vector_code, keywords = super().translate_statement_sequence(scalar_statements, vector_statements)
        arrays = self._silencing(vector_statements.get(None, ()))
        keywords["silent"] = self.either.join(f"{array}[_presynaptic_idx] == 0" for array in arrays)
        return scalar_code, vector_code, keywords

    def _silencing(self, statements):
        if len(statements) != 1 or statements[0].op not in ("+=", "-=", ":=") or self.auto_vectorise:
            return []
        factors = sorted(factors_of(statements[0].expr) & set(self.variables))
        return [
            self.get_array_name(self.variables[f]) for f in factors if self.variable_indices[f] == "_presynaptic_idx"
        ]
