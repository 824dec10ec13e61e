"""What says what happens: the schedule, the present slot's gates and numbers, and how other groups see them."""

import numpy as np
from brian2 import NeuronGroup, Synapses

from cortex_model.equations import gates_of, numbers_of

#: When within one slot each equation happens (Brian2's ``order`` in the slot "groups"). Sweeps climb or
#: descend the hierarchy in steps of `LEVEL`. In the leaky mode all sums come first, then everything relaxes at once.
ORDER = {
    "rest": -3,
    "row": -2,
    "stimulus": 0,
    "noise": 1,
    "hold": 2,
    "send_back": 3,
    "recirculation": 4,
    "forward": 10,
    "top": 100_000,
    "send_up_again": 200_000,
    "feedback": 300_000,
    "conduction": 340_000,
    "relax": 350_000,
    "send_up_again_relaxed": 390_000,
    "difference": 400_000,
    "power": 410_000,
    "plasticity": 420_000,
    "record": 500_000,
}
LEVEL = 10

#: Columns of the schedule besides the gates.
COLUMNS = ("presentation", "readout_row", "descending")


class Clockwork:
    """The groups that present: one row of the schedule a slot, copied into ``now`` when the slot begins.

    Parameters
    ----------
    parameters : HierarchyParameters
    connect : callable
        (Synapses, number of networks, batch size) -> None: connects all to all, within each network.
    ensemble_size : int
        E: how many networks run side by side. Each presents B = ``batch_size`` stimuli in a slot.

    Attributes
    ----------
    schedule : NeuronGroup
        Tables with one row a slot: `COLUMNS`, a 0/1 variable a gate, and E*B stimuli (``stimulus_row``).
    stimuli, targets, readout : NeuronGroup
        Tables of rates: what the input population can show, what the top population should answer, and
        what it did answer in evaluation.
    now : NeuronGroup
        One neuron: the present slot's row.
    networks : NeuronGroup
        E neurons: the numbers that every equation of a network may see.
    shown : NeuronGroup
        E*B neurons: which row of the stimuli each of them shows now.
    """

    def __init__(self, parameters, connect, ensemble_size=1):
        self.connect, self.ensemble_size, self.batch_size = connect, ensemble_size, parameters.batch_size
        self.n_shown = ensemble_size * self.batch_size
        columns = [*COLUMNS, *gates_of(parameters.dynamics)]
        self.schedule = _table("schedule", [*columns, "stimulus_row"], np.int32)
        self.stimuli, self.targets, self.readout = (
            _table(name, ["rate"], parameters.dtype) for name in ("stimuli", "targets", "readout")
        )
        self.now = NeuronGroup(1, _variables([*columns, "slot", "n_slots", "first_slot"], "integer"), name="now")
        gains = [f"apical_gain_{level}" for level in parameters.feedback_layers]
        numbers = f"noise_seed : integer\n{_variables([*numbers_of(parameters.dynamics), *gains], '1')}"
        self.networks = NeuronGroup(ensemble_size, numbers, name="networks")
        self.shown = NeuronGroup(self.n_shown, "stimulus_row : integer\nscheduled_at : integer", name="shown")
        for column in columns:
            self.now.variables.add_reference(f"scheduled_{column}", self.schedule, column, index="slot")
        self.shown.variables.add_reference("scheduled_row", self.schedule, "stimulus_row", index="scheduled_at")
        copies = "\n".join(f"{column} = scheduled_{column}" for column in columns)
        self.now.run_regularly(copies, when="start", order=-1, name="now_open_gates")
        self.show(self.shown, "slot")
        place = f"scheduled_at = slot*{self.n_shown} + i"
        self.shown.run_regularly(place, when="start", order=-1, name="now_in_schedule")
        self.shown.run_regularly("stimulus_row = scheduled_row", when="start", name="now_show")
        self.now.run_regularly("slot += 1", when="end", order=1, name="now_next_slot")

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

    def presentation(self):
        """Number of the presentation that a neuron sees, as an expression."""
        return "presentation" if self.batch_size == 1 else f"(presentation + presented % {self.batch_size})"

    @property
    def share(self):
        """What a step is divided by, as an expression: plasticity follows the mean over a batch."""
        return f"/{self.batch_size}" if self.batch_size > 1 else ""

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

    def sum(self, synapses, target, order, gate, pooled=False, is_connected=False):
        """Connect ``synapses``; let their summed variable be formed at ``order`` of each slot with ``gate`` open.

        Parameters
        ----------
        pooled : bool
            Whether each shown stimulus has synapses of its own; otherwise those of a batch share them.
        is_connected : bool
            Whether they are connected already, for another sum.
        """
        if not is_connected:
            self.connect(synapses, *((self.n_shown, 1) if pooled else (self.ensemble_size, self.batch_size)))
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
