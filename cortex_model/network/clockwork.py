"""What says what happens: the schedule, the present slot's gates and numbers, and how other groups see them."""

from brian2 import NeuronGroup, Synapses

from cortex_model.equations import GATES, NUMBERS

#: When within one slot each equation happens (Brian2's ``order`` in the slot "groups"). Sweeps climb or
#: descend the hierarchy in steps of `LEVEL`.
ORDER = {
    "row": -2,
    "stimulus": 0,
    "noise": 1,
    "hold": 2,
    "send_back": 3,
    "forward": 10,
    "top": 100_000,
    "send_up_again": 200_000,
    "feedback": 300_000,
    "difference": 400_000,
    "power": 410_000,
    "plasticity": 420_000,
    "record": 500_000,
}
LEVEL = 10

#: Columns of the schedule besides the gates.
COLUMNS = ("presentation", "stimulus_row", "readout_row", "descending")


class Clockwork:
    """The groups that present: one row of the schedule a slot, copied into ``now`` when the slot begins.

    Parameters
    ----------
    parameters : HierarchyParameters
    connect : callable
        Connects a Synapses all to all.

    Attributes
    ----------
    schedule : NeuronGroup
        One neuron a slot of the chunk; variables are `COLUMNS` and a 0/1 variable a gate.
    stimuli, targets, readout : NeuronGroup
        Rows that slots refer to: what the input population shows, what the top population should answer, and
        what it did answer in evaluation.
    now : NeuronGroup
        One neuron: the present slot's row, and the numbers that every equation may see.
    """

    def __init__(self, parameters, connect=Synapses.connect):
        self.connect = connect
        sizes, capacity = parameters.layer_sizes, parameters.chunk_presentations
        columns = [*COLUMNS, *GATES]
        integers = [*columns, "slot", "n_slots", "first_slot", "noise_seed"]
        self.schedule = NeuronGroup(capacity, _variables(columns, "integer"), name="schedule")
        self.stimuli = NeuronGroup(capacity * sizes[0], "rate : 1", name="stimuli")
        self.targets = NeuronGroup(capacity * sizes[-1], "rate : 1", name="targets")
        self.readout = NeuronGroup(capacity * sizes[-1], "rate : 1", name="readout")
        self.now = NeuronGroup(1, f"{_variables(integers, 'integer')}\n{_variables(NUMBERS, '1')}", name="now")
        for column in columns:
            self.now.variables.add_reference(f"scheduled_{column}", self.schedule, column, index="slot")
        copies = "\n".join(f"{column} = scheduled_{column}" for column in columns)
        self.now.run_regularly(copies, when="start", order=-1, name="now_open_gates")
        self.now.run_regularly("slot += 1", when="end", order=1, name="now_next_slot")

    @property
    def groups(self):
        """All of them."""
        return [self.schedule, self.stimuli, self.targets, self.readout, self.now]

    def show(self, group, *names):
        """Make variables of ``now`` readable in a group's code (one value: index 0, no index array)."""
        for name in names:
            if name not in group.variables:
                group.variables.add_reference(name, self.now, name, index="0")

    def gate(self, obj, gate):
        """Let ``obj`` (a monitor, or the updater of an equation) run only while ``gate`` is open.

        Notes
        -----
        The object gets the attribute ``gate``; code objects that obey it are made by `cortex_model.devices.gates`.
        """
        self.show(getattr(obj, "group", obj), gate)
        obj.needed_variables.append(gate)
        object.__setattr__(obj, "gate", gate)  # groups refuse attributes that are no variables

    def step(self, group, name, code, order, gate):
        """Let an equation happen in ``group`` at ``order`` of each slot in which ``gate`` is open."""
        self.gate(group.run_regularly(code, when="groups", order=order, name=f"{group.name}_{name}"), gate)

    def sum(self, synapses, target, order, gate):
        """Let a summed variable of ``synapses`` be formed at ``order`` of each slot in which ``gate`` is open."""
        self.connect(synapses)
        updater = synapses.summed_updaters[target]
        updater.order = order
        self.gate(updater, gate)


def _variables(names, kind):
    return "\n".join(f"{name} : {kind}" for name in names)
