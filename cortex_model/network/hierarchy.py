"""The hierarchy: populations joined by forward and reciprocal projections, all of them ordinary Brian2 objects."""

from collections.abc import Callable

import numpy as np
from brian2 import BrianObject, EventMonitor, Network, NetworkOperation, NeuronGroup, StateMonitor, Synapses
from brian2.groups.neurongroup import Resetter
from brian2.synapses.synapses import SummedVariableUpdater, SynapticPathway

from cortex_model.errors import DeviceError, ParameterError
from cortex_model.network.clockwork import Clockwork
from cortex_model.network.objects import Objects
from cortex_model.parameters import HierarchyParameters
from cortex_model.schedule.declared import ANSWER_GATE, declared
from cortex_model.weights import to_matrix


class Hierarchy:
    """A stack of rate-based populations with forward and reciprocal feedback projections.

    Parameters
    ----------
    parameters : HierarchyParameters
        Sizes, nonlinearities and rules. Numbers that a run may change without compiling (learning rates,
        damping, weights, schedule) are variables of the clockwork and of the projections.
    connect : callable
        (Synapses, number of networks, batch size) -> None: connects all to all within each network;
        `cortex_model.devices` hands over the dense one.
    ensemble_size : int
        How many networks run side by side, each with weights of its own; neurons and synapses are in the order
        of the networks. More than one, or a ``batch_size`` above 1, needs dense projections.

    Attributes
    ----------
    populations : list of NeuronGroup
        ``populations[l]``, l = 0 (input) ... L (top).
    projections : dict of Synapses
        (name, l) -> what holds the weights of a projection of the learning rule.
    forward, feedback, biases : dict of Synapses
        Of these, by l: ``forward[l]`` joins l-1 to l and holds W_l; ``feedback[l]`` joins l to l-1 and holds V_l;
        ``biases[l]`` joins one neuron, whose rate is always 1, to l and holds b_l.
    pools : list of NeuronGroup and Synapses
        Single neurons that sum over a population, and the Synapses by which they do.
    declared : Declared
        The rule and its program, from which all of this is made.
    clockwork : Clockwork
        Schedule, stimuli, and ``now``: the gates of the present slot and the numbers that equations see.
    network : Network
        Everything that runs.

    Notes
    -----
    One slot is one time step; within it events happen in the order that follows from the declaration, each only while
    its gate is open, so that phases are data (see `cortex_model.schedule`).

    Examples
    --------
    >>> hierarchy = Hierarchy(HierarchyParameters(layer_sizes=(64, 32, 10)))    # doctest: +SKIP
    >>> print(hierarchy)                                                        # doctest: +SKIP
    >>> hierarchy.add(StateMonitor(hierarchy.populations[1], "rate", record=True))  # doctest: +SKIP
    """

    def __init__(
        self,
        parameters: HierarchyParameters,
        connect: Callable[[Synapses, int, int], None] = lambda synapses, *_: synapses.connect(),
        ensemble_size: int = 1,
    ):
        self.parameters, self.ensemble_size, self.declared = parameters, ensemble_size, declared(parameters)
        self.foreign: list[BrianObject] = []
        self.is_built = False
        self.made: set[str] = set()  # gates whose code objects the runtime device has made
        self.calls: list = []  # what it calls in each slot
        self.clockwork = clockwork = Clockwork(self.declared, connect, ensemble_size)
        self._objects = objects = Objects(self.declared, clockwork)
        self.populations, self.projections, self.pools = objects.populations, objects.projections, objects.pools
        groups = [*clockwork.groups, *self.populations, *objects.always_active]
        self.network = Network(groups, list(self.projections.values()), self.pools, name="network")

    def _of(self, projection):
        return {level: synapses for (name, level), synapses in self.projections.items() if name == projection}

    @property
    def forward(self) -> dict[int, Synapses]:
        """The projections W, by l."""
        return self._of("W")

    @property
    def feedback(self) -> dict[int, Synapses]:
        """The projections V, by l."""
        return self._of("V")

    @property
    def biases(self) -> dict[int, Synapses]:
        """The projections b, by l."""
        return self._of("b")

    # ------------------------------------------------------------------ what a user adds, reaches and prints
    def add(self, *objects: BrianObject) -> None:
        """Add Brian2 objects of one's own (groups, synapses, monitors) before the build.

        Raises
        ------
        ParameterError
            For something that is not a Brian2 object.
        DeviceError
            On a standalone device whose program is built, and for an object that was made on another device, before
            the hierarchy.
        """
        if self.is_built:
            raise DeviceError(
                "Hierarchy.add: must be called before the program is built (got objects after it); "
                "make a new Simulation, add them, then build or run it."
            )
        for obj in objects:
            if not isinstance(obj, BrianObject):
                raise ParameterError(
                    f"Hierarchy.add: must get Brian2 objects (got {type(obj).__name__}); "
                    "give a NeuronGroup, a Synapses or a monitor."
                )
            device = self.populations[0].variables.device
            if getattr(obj, "variables", self.populations[0].variables).device is not device:
                raise DeviceError(
                    f"Hierarchy.add: {obj.name} must be made after the hierarchy, on its device (got one of another "
                    "device); ask the simulation for its hierarchy first."
                )
            self.foreign.append(obj)
            self.network.add(obj)

    def record(self, level: int, variable: str, gate: str = ANSWER_GATE) -> StateMonitor:
        """A StateMonitor of one variable of population ``level`` that records only while a gate is open.

        Parameters
        ----------
        level : int
        variable : str
        gate : str
            ``answer_gate``: at the end of each evaluation; ``wake_gate``, ``sleep_gate``, ``perception_gate`` ...: in
            each slot of a phase.
        """
        source = self.populations[level]
        when = {"when": "groups", "order": self._objects.record_order}
        monitor = StateMonitor(source, variable, record=True, name=f"recorded_{level}_{variable}_{gate}", **when)
        self.clockwork.gate(monitor, gate)
        self.add(monitor)
        return monitor

    def record_events(self, level: int, event: str, *variables: str) -> EventMonitor:
        """An EventMonitor of population ``level``: who has an event and when, and some variables just after it.

        Parameters
        ----------
        level : int
        event : str
            ``spike``, of forward cells, or ``feedback_spike``.
        *variables : str
            ``impulse``, or ``feedback_impulse``: of the sign of the spike.
        """
        source, name = self.populations[level], f"recorded_{level}_{event}"
        when = {"when": "groups", "order": self._objects.record_order}
        monitor = EventMonitor(source, event, variables=variables, name=name, **when)
        self.add(monitor)
        return monitor

    @property
    def network_operations(self) -> list[NetworkOperation]:
        """Python functions within the network, which only the runtime device can run."""
        return [obj for obj in self.foreign if isinstance(obj, NetworkOperation)]

    def weights(self, direction: str, level: int, network: int = 0) -> np.ndarray:
        """W_l (``"forward"``) or V_l (``"feedback"``) of one network, as the runtime device holds them now.

        Parameters
        ----------
        direction : {"forward", "feedback"}
        level : int
            l.
        network : int
            Which of an ensemble.

        Returns
        -------
        weights : ndarray, shape (n_post, n_pre)
            A copy: Brian2's own ``weight[:]`` is a view into memory that does not outlive its Synapses.

        Raises
        ------
        ParameterError
            If there is no such projection or network.
        DeviceError
            On a standalone device, where a `cortex_model.devices.networks.State` has the weights.
        """
        projections = {"forward": self.forward, "feedback": self.feedback}
        if level not in projections.get(direction, ()) or not 0 <= network < self.ensemble_size:
            there = ", ".join(f"{name} {sorted(levels)}" for name, levels in projections.items())
            raise ParameterError(
                f"Hierarchy.weights: must be asked for {there}, of networks 0 to {self.ensemble_size - 1} "
                f"(got {direction!r}, {level!r}, network {network!r}); name one of them."
            )
        try:
            values = np.array(projections[direction][level].weight[:])
        except NotImplementedError:
            raise DeviceError(
                "Hierarchy.weights: must be asked for on the runtime device (got a compiled program, which keeps its "
                "weights to itself); take those of the State that Simulation.run returns."
            ) from None
        p, sizes = self.parameters, self.parameters.layer_sizes
        shape = (sizes[level], sizes[level - 1]) if direction == "forward" else p.feedback_shape(level)
        return to_matrix(values.reshape(self.ensemble_size, -1)[network], *shape[::-1])

    def __str__(self) -> str:
        """Every object and the equations that happen in it, in their order; then what a user has added."""
        groups = [*self.populations, *self.projections.values()]
        lines = [line for group in [*groups, *self.pools] for line in [_headline(group), *_happening(group)]]
        for obj in self.foreign:
            is_group = isinstance(obj, NeuronGroup) and obj.equations
            equations = str(obj.equations).strip().split("\n") if is_group else ()
            lines += [_headline(obj), *_happening(obj), *(f"  {'':24} {line.strip()}" for line in equations)]
        return "\n".join(lines)


def _headline(obj):
    if isinstance(obj, Synapses):
        return f"{obj.name} ({obj.source.name} -> {obj.target.name})"
    if isinstance(obj, NeuronGroup):
        return f"{obj.name} ({obj.N} neuron{'s' * (obj.N > 1)})"
    return f"{obj.name} ({type(obj).__name__})"


def _happening(group):
    """The gate and the code of each equation that waits for a gate, of each event, and of each sum over synapses."""
    updaters = [o for o in group.contained_objects if hasattr(o, "gate") or isinstance(o, SummedVariableUpdater)]
    for updater in sorted(updaters, key=lambda o: o.order):
        yield f"  {getattr(updater, 'gate', ''):24} {_said(updater, group)}"


def _said(updater, group):
    """What an updater does, and at which event."""
    if isinstance(updater, SummedVariableUpdater):
        return f"{updater.target_varname} = sum of {updater.expression.code} over synapses"
    if isinstance(updater, SynapticPathway):
        return f"at each {updater.event} of {updater.source.name}: {updater.code}"
    if not isinstance(updater, Resetter):
        return updater.abstract_code.strip().replace("\n", "; ")
    condition = group.events[updater.event].partition(" > 0 and ")[2].strip("()")
    code = [line for line in group.event_codes[updater.event].split("\n") if f"{updater.event}s_in_" not in line]
    return f"{updater.event} where {condition}: {'; '.join(code)}"
