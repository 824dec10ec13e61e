"""What says what happens: the schedule, the present slot's gates and numbers, and how other groups see them."""

import re

import numpy as np
from brian2 import NeuronGroup, Synapses

from cortex_model.schedule.chunk import own as own_of
from cortex_model.schedule.declared import Declared

#: What code may read of the clockwork, besides numbers.
READ_OF_CLOCKWORK = ("age", "presentation", "noise_seed", "stimulus_row", "readout_row")


class Clockwork:
    """The groups that present: one row of the schedule a slot, copied into ``now`` when the slot begins.

    Parameters
    ----------
    declared : Declared
    connect : callable
        (Synapses, number of networks, batch size) -> None: connects all to all, within each network.
    ensemble_size : int
        E: how many networks run side by side. Each presents B = ``batch_size`` stimuli at once.

    Attributes
    ----------
    schedule : NeuronGroup
        Tables with one row a slot: a 0/1 variable a gate, the row that is answered into, and, E*B in a row, what each
        network shows (``stimulus_row``) and the number of that presentation.
    stimuli, targets, readout : NeuronGroup
        Tables of rates: what the input population can show, what the top population should answer, and
        what it did answer in evaluation.
    now : NeuronGroup
        One neuron: the present slot's row.
    networks : NeuronGroup
        E neurons: the numbers that every equation of a network may see, what its rule remembers and, where there are
        several, whether what a gate opens is its own.
    shown : NeuronGroup
        E*B neurons: which row of the stimuli each of them shows now, in which presentation and, where that is read, how
        many of the same phase came before it (``age``).
    """

    def __init__(self, declared: Declared, connect, ensemble_size=1):
        p = declared.parameters
        self.numbers = declared.numbers
        self.connect, self.ensemble_size, self.batch_size = connect, ensemble_size, p.batch_size
        self.n_shown = ensemble_size * self.batch_size
        columns = ["readout_row", *declared.gates]
        own = [own_of(gate) for gate in declared.own_gates] if ensemble_size > 1 else []
        of_shown = ["stimulus_row", "presentation", *(["age"] if declared.reads_age else [])]
        self.schedule = _table("schedule", [*columns, *own, *of_shown], np.int32)
        self.stimuli, self.targets, self.readout = (
            _table(name, ["rate"], p.dtype) for name in ("stimuli", "targets", "readout")
        )
        self.now = NeuronGroup(1, _variables([*columns, "slot", "n_slots", "first_slot"], "integer"), name="now")
        numbers = f"noise_seed : integer\n{_variables([*declared.numbers, *declared.remembered], '1')}\n"
        if own:
            numbers += f"{_variables(own, '1')}\nscheduled_at : integer"
        self.networks = NeuronGroup(ensemble_size, numbers, name="networks")
        shown = _variables([*of_shown, "scheduled_at"], "integer")
        self.shown = NeuronGroup(self.n_shown, shown, name="shown")
        for column in columns:
            self.now.variables.add_reference(f"scheduled_{column}", self.schedule, column, index="slot")
        copies = "\n".join(f"{column} = scheduled_{column}" for column in columns)
        self.now.run_regularly(copies, when="start", order=-1, name="now_open_gates")
        self._follow(self.shown, of_shown)
        if own:
            self._follow(self.networks, own)
        self.now.run_regularly("slot += 1", when="end", order=1, name="now_next_slot")

    def _follow(self, group, columns):
        """Let a group of several neurons take its part of the present row of the schedule."""
        self.show(group, "slot")
        for column in columns:
            group.variables.add_reference(f"scheduled_{column}", self.schedule, column, index="scheduled_at")
        at = {"when": "start", "order": -1, "name": f"{group.name}_in_schedule"}
        group.run_regularly(f"scheduled_at = slot*{group.N} + i", **at)
        copies = "\n".join(f"{column} = scheduled_{column}" for column in columns)
        group.run_regularly(copies, when="start", name=f"{group.name}_follow_schedule")

    def group(self, n, model, name, **options):
        """A NeuronGroup of ``n`` neurons for each stimulus that is shown: network by network, stimulus by stimulus."""
        model += "".join(f"\n{index} : integer (constant)" for index in self._indices())
        group = NeuronGroup(self.n_shown * n, model, name=name, **options)
        for index, n_each in self._indices().items():
            setattr(group, index, np.arange(group.N) // (n_each * n))
        return group

    def _indices(self):
        """Index variables of a group -> how many shown stimuli share a value; none where there is one value."""
        indices = {"network": self.batch_size} if self.ensemble_size > 1 else {}
        return indices | ({"presented": 1} if self.batch_size > 1 else {})

    def neuron(self, n):
        """Number of a neuron within its population of ``n``, as an expression."""
        return f"(i - {[*self._indices()][-1]}*{n})" if self._indices() else "i"

    @property
    def groups(self):
        """All of them."""
        return [self.schedule, self.stimuli, self.targets, self.readout, self.now, self.networks, self.shown]

    def show(self, group, *names, of=None, called=None):
        """Make variables of the clockwork, or of the group ``of``, readable in a group's code.

        Notes
        -----
        Where there is one value (one neuron, one network, one stimulus) its index is 0, and there is no index array.
        """
        for name in names:
            source = of or next(g for g in (self.now, self.networks, self.shown) if name in g.variables)
            per = {1: "0", self.n_shown: "presented", self.ensemble_size: "network"} | {1: "0"}
            index = per[source.N]
            if isinstance(group, Synapses) and index != "0":
                index = f"_{index}_idx"
            if (called or name) not in group.variables:
                group.variables.add_reference(called or name, source, name, index=index)

    def show_read(self, group, code):
        """Make readable in a group's code what that names of the present presentation, and numbers."""
        read = set(re.findall(r"\w+", code))
        self.show(group, *sorted(read & {*READ_OF_CLOCKWORK, *self.numbers}))

    def gate(self, obj, gate):
        """Let ``obj`` (a monitor, or the updater of an equation) run only while ``gate`` is open.

        Notes
        -----
        The object gets the attribute ``gate``; code objects that obey it are made by `cortex_model.devices.gates`.
        """
        self.show(getattr(obj, "group", obj), gate)
        obj.needed_variables.append(gate)
        object.__setattr__(obj, "gate", gate)  # groups refuse attributes that are no variables

    def sum(self, synapses, target, order, gate):
        """Let a summed variable of connected ``synapses`` be formed at ``order`` of each slot with ``gate`` open."""
        updater = synapses.summed_updaters[target]
        updater.order = order
        self.gate(updater, gate)


def _table(name, columns, dtype):
    """A group whose variables take the size of what they are given."""
    group = NeuronGroup(1, "", name=name)
    for column in columns:
        group.variables.add_dynamic_array(column, size=1, dtype=np.dtype(dtype), needs_reference_update=True)
    return group


def _variables(names, kind):
    return "\n".join(f"{name} : {kind}" for name in names)
