"""What is read once a row: values of the presynaptic neuron, or of a whole network."""

from cortex_model.devices.dense.conditions import LOOPS

#: Indices that stay the same along a row.
ALONG_A_ROW = ("_presynaptic_idx", "_network_idx", "0")


class RowReads:
    """Mixed into a C++ generator: such reads stand before the loop over columns, as ``row_code``.

    Notes
    -----
    Inside of it the compiler would read them again and again, since for all it knows the change of a synapse may change
    them. It may not: dense loops write to synaptic variables only (`cortex_model.devices.dense.conditions`).
    """

    def translate_statement_sequence(self, scalar_statements, vector_statements):
        """Brian2's code, and what comes before it in each row."""
        self._row_code = []
        scalar_code, vector_code, keywords = super().translate_statement_sequence(scalar_statements, vector_statements)
        return scalar_code, vector_code, keywords | {"row_code": self._row_code}

    def translate_to_read_arrays(self, read, write, indices):
        """Brian2's lines, without those of a row."""
        of_row = {name for name in read - write if self._is_of_row(name)} if self.template_name in LOOPS else set()
        self._row_code += super().translate_to_read_arrays(of_row, set(), set())
        return super().translate_to_read_arrays(read - of_row, write, indices)

    def _is_of_row(self, name):
        return not self.variables[name].scalar and self.variable_indices[name] in ALONG_A_ROW
