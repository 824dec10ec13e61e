"""When loops over all pairs are right, and the sentences for when they are not."""

import math

from brian2.synapses.synapses import MAX_SYNAPSES

from cortex_model.devices.dense.events import walk_rows
from cortex_model.errors import DeviceError

#: Templates that visit every synapse, and so have a dense version.
LOOPS = ("summed_variable", "stateupdate")
#: Templates of a pathway: who has an event now, and what happens at its synapses.
PATHWAY = ("synapses_push_spikes", "synapses")
#: Which neuron of either end a synapse joins, in which network, at which of the presentations of all networks:
#: dense loops count instead of looking it up.
ENDS = {"_presynaptic_idx", "_postsynaptic_idx"}
COUNTED = ENDS | {"_network_idx", "_presented_idx"}
#: What Brian2 makes of a plain ``connect()``.
ALL_PAIRS = {
    "setup_iterator": "_iter_low = 0; _iter_high = N_post; _iter_step = 1",
    "generator_expr": "_pre_idx = _raw_pre_idx; _j = _k",
    "create_cond": "_cond = True",
    "update": "_post_idx = _raw_post_idx; _n = 1",
}


def n_rows(synapses):
    """Presynaptic neurons of one network, for one presentation."""
    return len(synapses.source) // math.prod(parts(synapses))


def n_columns(synapses):
    """Postsynaptic neurons of one network, for one presentation."""
    return len(synapses.target) // math.prod(parts(synapses))


def parts(synapses):
    """(E, B): networks side by side, and presentations that share the synapses of each."""
    return getattr(synapses, "networks", 1), getattr(synapses, "batch", 1)


class DenseGenerator:
    """Mixed into a code generator: refuses what dense loops cannot do, and does not look up the ends of a synapse."""

    #: Whether the loops of `LOOPS` count the ends of a synapse.
    counts_ends = True

    def translate(self, code, dtype):
        """Brian2's translation, after a check of what is to be generated."""
        if self.template_name == "synapses_create_generator":
            self._check_connect(code)
        elif self.template_name.startswith("synapses") and self.template_name not in PATHWAY:
            raise DeviceError(
                f"dense.{self.owner.name}: must be connected all to all by connect() (got index arrays); leave "
                "dense(...) away."
            )
        return super().translate(code, dtype)

    def _walks_rows(self):
        """Whether its pathways are prepared (`cortex_model.devices.dense.events`)."""
        return getattr(self.owner, "walks_rows", False)

    def array_read_write(self, statements):
        """Names read, written and used as indices; no synapse may write to a neuron, since all run at once."""
        read, write, indices = super().array_read_write(statements)
        if self.template_name == "synapses":
            return read, write, indices - COUNTED
        if self.template_name not in LOOPS:
            return read, write, indices
        for name in sorted(write):
            if self.variable_indices[name] in ENDS:
                raise DeviceError(
                    f"dense.{self.owner.name}: must write to synaptic variables only (got one that writes {name!r}); "
                    "use a (summed) variable, or leave dense(...) away."
                )
        return read, write, indices - COUNTED if self.counts_ends else indices

    def _check_connect(self, code):
        name = self.owner.name
        if not self._walks_rows():
            walk_rows(self.owner, self.owner.codeobj_class)  # of Synapses that were given the class alone
        if {block: "; ".join(map(str.strip, lines.strip().split("\n"))) for block, lines in code.items()} != ALL_PAIRS:
            raise DeviceError(
                f"dense.{name}: must be connected all to all, by connect() without arguments "
                "(got a condition, a probability or a number of synapses); leave dense(...) away."
            )
        if len(self.owner) > 0:
            raise DeviceError(f"dense.{name}: must be connected once (got a second connect()); remove one.")
        n_synapses = n_rows(self.owner) * n_columns(self.owner) * parts(self.owner)[0]
        if n_synapses > MAX_SYNAPSES:
            raise DeviceError(
                f"dense.{name}: must hold at most {MAX_SYNAPSES} synapses (got {n_synapses}); divide a population."
            )
