"""The hierarchy: populations joined by forward and reciprocal projections, all of them ordinary Brian2 objects."""

import numpy as np
from brian2 import BrianObject, Network, NetworkOperation, NeuronGroup, StateMonitor, Synapses

from cortex_model.equations import (
    EQUATIONS,
    FEEDBACK_PROJECTION,
    FORWARD_PROJECTION,
    GATES,
    NONLINEARITIES,
    NUMBERS,
    POPULATION,
    SLEEP_ACTIVITY,
    SLEEP_RULES,
    SLOPE_RULES,
    TOP_NONLINEARITIES,
)
from cortex_model.errors import ParameterError
from cortex_model.network.gates import gate_on
from cortex_model.network.noise import noise_function
from cortex_model.parameters import HierarchyParameters
from cortex_model.weights import to_matrix

#: When within one presentation each equation happens (Brian2's ``order`` in slot "groups").
ORDER = {
    "indices": -2, "stimulus": 0, "noise": 1, "hold": 2, "send_back": 3,
    "forward": 10, "response": 100_000, "send_up_again": 200_000, "feedback": 300_000,
    "difference": 400_000, "power": 410_000, "plasticity": 420_000, "record": 500_000,
}  # fmt: skip


class Hierarchy:
    """A stack of rate-based populations with forward and reciprocal feedback projections.

    Parameters
    ----------
    parameters : HierarchyParameters
        Sizes, nonlinearities and rules. Numbers that a run may change without compiling (learning rates,
        damping, weights, schedule) are variables of `now`, of the projections and of `schedule`.

    Attributes
    ----------
    populations : list of NeuronGroup
        ``populations[l]``, l = 0 (input) ... L (top).
    forward, feedback : dict of Synapses
        ``forward[l]`` joins l-1 to l and holds W_l; ``feedback[l]`` joins l to l-1 and holds V_l.
    now : NeuronGroup
        One neuron: the gates of the present slot and the numbers that every equation may see.
    network : Network
        Everything that runs.

    Notes
    -----
    One presentation is one time step; within it, equations happen in the order of `ORDER`, each only while
    its gate is open. Every code object belongs to a gate, so that phases are data (see `cortex_model.phases`).
    """

    def __init__(self, parameters: HierarchyParameters):
        self.parameters = parameters
        self.namespace = {"noise": noise_function(parameters.noise_distribution)}
        self.foreign: list[BrianObject] = []
        self._build_clockwork()
        self.populations = [self._population(level) for level in range(parameters.n_layers + 1)]
        self.pools = {}
        self.forward = {level: self._projection(level, "forward") for level in range(1, parameters.n_layers + 1)}
        self.feedback = {level: self._projection(level, "feedback") for level in parameters.feedback_layers}
        self._join_pools()
        for level in range(parameters.n_layers + 1):
            self._wake_in_population(level)
            self._sleep_in_population(level)
        for level in self.forward:
            self._plasticity(level)
        groups = [self.schedule, self.stimuli, self.targets, self.readout, self.now]
        projections = [*self.forward.values(), *self.feedback.values(), *self.pools.values()]
        self.network = Network(groups, self.populations, projections, name="network")
        for pool in self.pools.values():
            self.network.add(pool.target)

    # ------------------------------------------------------------------ what a user adds
    def add(self, *objects: BrianObject) -> None:
        """Add Brian2 objects of one's own (groups, synapses, monitors) before the build.

        Raises
        ------
        ParameterError
            For something that is not a Brian2 object.
        """
        for obj in objects:
            if not isinstance(obj, BrianObject):
                raise ParameterError(
                    f"Hierarchy.add: must get Brian2 objects (got {type(obj).__name__}); "
                    "give a NeuronGroup, a Synapses or a monitor."
                )
            self.foreign.append(obj)
            self.network.add(obj)

    def record(self, population: int, variable: str, phase_gate: str = "record_gate") -> StateMonitor:
        """A StateMonitor of one variable of a population that records only while a gate is open."""
        monitor = StateMonitor(
            self.populations[population], variable, record=True, when="groups", order=ORDER["record"] + 1
        )
        gate_on(monitor, self.now, phase_gate)
        self.add(monitor)
        return monitor

    @property
    def network_operations(self) -> list[NetworkOperation]:
        """Python functions within the network, which only the runtime device can run."""
        return [obj for obj in self.foreign if isinstance(obj, NetworkOperation)]

    # ------------------------------------------------------------------ schedule, numbers and gates
    def _build_clockwork(self):
        sizes, capacity = self.parameters.layer_sizes, self.parameters.chunk_presentations
        columns = ["presentation", "stimulus_row", "readout_row", "descending", *GATES]
        self.schedule = NeuronGroup(capacity, "\n".join(f"{c} : integer" for c in columns), name="schedule")
        self.stimuli = NeuronGroup(capacity * sizes[0], "rate : 1", name="stimuli")
        self.targets = NeuronGroup(capacity * sizes[-1], "rate : 1", name="targets")
        self.readout = NeuronGroup(capacity * sizes[-1], "rate : 1", name="readout")
        lines = [f"{c} : integer" for c in columns] + [f"{number} : 1" for number in NUMBERS]
        self.now = NeuronGroup(
            1,
            "\n".join([*lines, "slot : integer", "n_slots : integer", "first_slot : integer", "noise_seed : integer"]),
            name="now",
        )
        for column in columns:
            self.now.variables.add_reference(f"scheduled_{column}", self.schedule, column, index="slot")
        self.now.run_regularly(
            "\n".join(f"{c} = scheduled_{c}" for c in columns), when="start", order=-1, name="now_open_gates"
        )
        self.now.run_regularly("slot += 1", when="end", order=1, name="now_next_slot")

    def _see(self, group, *names):
        """Make numbers of `now` readable in a group's code (one value: index 0, no index array)."""
        for name in names:
            if name not in group.variables:
                group.variables.add_reference(name, self.now, name, index="0")

    def _step(self, group, name, code, order, gate):
        """An equation that happens in a group at ``order`` of each slot in which ``gate`` is open."""
        self._see(group, gate)
        step = group.run_regularly(code, when="groups", order=order, name=f"{group.name}_{name}")
        gate_on(step, self.now, gate)

    # ------------------------------------------------------------------ populations
    def _population(self, level):
        p = self.parameters
        model = POPULATION + "apical_gain : 1 (shared)\n"
        if p.sleep_rule != "recirculation":
            model += "held : 1\n"
        if level == 0:
            model += "stimulus_index : integer\n"
        if level == p.n_layers:
            model += "excitation : 1\ntarget_index : integer\nreadout_index : integer\n"
        group = NeuronGroup(p.layer_sizes[level], model, name=f"population_{level}", namespace=self.namespace)
        self._see(group, "presentation", "descending", "noise_seed", *NUMBERS)
        if level == 0:
            self._see(group, "stimulus_row")
            group.variables.add_reference("stimulus", self.stimuli, "rate", index="stimulus_index")
        if level == p.n_layers:
            self._see(group, "stimulus_row", "readout_row")
            group.variables.add_reference("target", self.targets, "rate", index="target_index")
            group.variables.add_reference("answer", self.readout, "rate", index="readout_index")
        return group

    def _wake_in_population(self, level):
        p, group, top = self.parameters, self.populations[level], self.parameters.n_layers
        n, order = p.layer_sizes[level], ORDER["forward"] + 10 * level
        rate, slope = NONLINEARITIES[p.nonlinearity]
        if level == 0:
            self._step(group, "row", f"stimulus_index = stimulus_row*{n} + i", ORDER["indices"], "stimulus_gate")
            self._step(group, "stimulus", EQUATIONS["stimulus"], ORDER["stimulus"], "stimulus_gate")
            return
        if level == top:
            rate = TOP_NONLINEARITIES[p.top]
            self._step(group, "error_row", f"target_index = stimulus_row*{n} + i", ORDER["indices"], "error_gate")
            self._step(group, "answer_row", f"readout_index = readout_row*{n} + i", ORDER["indices"], "record_gate")
            self._step(group, "answer", "answer = rate", ORDER["record"], "record_gate")
            self._step(group, "output_error", EQUATIONS["output_error"], ORDER["response"], "error_gate")
            if p.top == "softmax":
                self._step(group, "excitation", EQUATIONS["excitation"], order + 2, "response_gate")
        else:
            slope_factor = SLOPE_RULES[p.slope_rule].format(slope=slope)
            code = EQUATIONS["activation_reciprocal"].format(slope_factor=slope_factor)
            when = ORDER["feedback"] + 10 * (top - level) + 2
            self._step(group, "activation_reciprocal", code, when, "error_gate")
        code = EQUATIONS["layer_response"].format(rate=rate)
        self._step(group, "layer_response", code, order + 4, "response_gate")
        if p.biases:
            code = EQUATIONS["bias_update"].format(step=self._wake_step(level))
            self._step(group, "bias_update", code, ORDER["plasticity"], "weight_update_gate")

    def _sleep_in_population(self, level):
        p, group = self.parameters, self.populations[level]
        is_lower, is_upper = level + 1 in self.feedback, level in self.feedback
        moments = SLEEP_RULES[p.sleep_rule]
        if is_lower or is_upper:
            self._step(group, "noise", EQUATIONS["noise"].format(population=level), ORDER["noise"], "noise_gate")
        for moment, applies, order in (
            ("hold_below", is_lower, "hold"),
            ("hold_above", is_upper, "hold"),
            ("send_back", is_lower, "send_back"),
            ("send_up_again", is_upper, "send_up_again"),
            ("difference_below", is_lower, "difference"),
            ("difference_above", is_upper, "difference"),
        ):
            if applies and moment in moments:
                gate = "send_back_gate" if moment.startswith("hold") else f"{moment}_gate"
                self._step(group, moment, moments[moment], ORDER[order], gate)

    # ------------------------------------------------------------------ projections and their plasticity
    def _projection(self, level, direction):
        lower, upper = self.populations[level - 1], self.populations[level]
        top = self.parameters.n_layers
        if direction == "forward":
            ends, model, target = (lower, upper), FORWARD_PROJECTION, "basal_input_post"
            order = ORDER["forward"] + 10 * level + 1
            gate = "forward_gate" if level in self.parameters.feedback_layers else "input_gate"
        else:
            ends, model, target = (upper, lower), FEEDBACK_PROJECTION, "apical_drive_post"
            order = ORDER["feedback"] + 10 * (top - level + 1) + 1
            gate = "feedback_gate" if level > 1 else "reconstruction_gate"
        synapses = Synapses(*ends, model, name=f"{direction}_{level}", namespace=self.namespace)
        synapses.connect()
        self._see(synapses, gate, *NUMBERS)
        synapses.summed_updaters[target].order = order
        gate_on(synapses.summed_updaters[target], self.now, gate)
        return synapses

    def _plasticity(self, level):
        p, forward = self.parameters, self.forward[level]
        order, rate = ORDER["plasticity"] + level, self._wake_step(level)
        code = EQUATIONS["weight_update"].format(step=rate)
        self._step(forward, "weight_update", code, order, "weight_update_gate")
        if level not in self.feedback:
            return
        feedback = self.feedback[level]
        code = EQUATIONS["transposed_weight_update"].format(step=rate)
        self._step(feedback, "transposed_weight_update", code, order, "transposed_update_gate")
        activity = SLEEP_ACTIVITY[p.sleep_rule] + "_pre"
        step = "*sleep_reciprocal" if p.sleep_normalisation else ""
        code = EQUATIONS["feedback_update"].format(step="sleep_learning_rate" + step, activity=activity)
        self._step(feedback, "feedback_update", code, order, "feedback_update_gate")
        if "difference_above" in SLEEP_RULES[p.sleep_rule]:
            code = EQUATIONS["forward_update"].format(step="forward_sleep_learning_rate" + step, activity=activity)
            self._step(forward, "forward_update", code, order, "forward_update_gate")

    # ------------------------------------------------------------------ pools: sums over one population
    def _wake_step(self, level):
        return "learning_rate" + ("*parameter_reciprocal" if self.parameters.presynaptic_normalisation else "")

    def _join_pools(self):
        """Pools of one neuron that sum over a population, and what sees them."""
        p, top = self.parameters, self.parameters.n_layers
        if p.top == "softmax":
            pool = self._pool(
                top, "pooled_excitation", "excitation_pre", ORDER["forward"] + 10 * top + 3, "response_gate"
            )
            self.populations[top].variables.add_reference("pooled_excitation", pool, "pooled_excitation", index="0")
        if p.presynaptic_normalisation:
            for level in self.forward:
                pool = self._pool(level - 1, "rate_power", "rate_pre*rate_pre", ORDER["power"], "weight_update_gate")
                power = "(rate_power + 1)" if p.biases else "rate_power"
                code = EQUATIONS["parameter_reciprocal"].format(power=power)
                self._step(pool, "parameter_reciprocal", code, ORDER["power"] + 1, "weight_update_gate")
                seers = [self.populations[level], self.forward[level], self.feedback.get(level)]
                self._share(pool, "parameter_reciprocal", seers)
        if p.sleep_normalisation:
            activity = SLEEP_ACTIVITY[p.sleep_rule] + "_pre"
            levels = {end for level in self.feedback for end in (level - 1, level)}
            for level in sorted(levels):
                pool = self._pool(level, "sent_power", f"{activity}*{activity}", ORDER["power"], "sleep_power_gate")
                self._step(pool, "reciprocal", EQUATIONS["sleep_reciprocal"], ORDER["power"] + 1, "sleep_power_gate")
                seers = [self.feedback.get(level), self.forward.get(level + 1)]
                self._share(pool, "sleep_reciprocal", seers)

    def _pool(self, level, total, expression, order, gate):
        inverse = {"rate_power": "parameter_reciprocal : 1\n", "sent_power": "sleep_reciprocal : 1\n"}
        pool = NeuronGroup(1, f"{total} : 1\n{inverse.get(total, '')}", name=f"{total}_{level}")
        synapses = Synapses(
            self.populations[level], pool, f"{total}_post = {expression} : 1 (summed)", name=f"{total}_{level}_synapses"
        )
        synapses.connect()
        self._see(synapses, gate)
        synapses.summed_updaters[f"{total}_post"].order = order
        gate_on(synapses.summed_updaters[f"{total}_post"], self.now, gate)
        self.pools[f"{total}_{level}"] = synapses
        return pool

    @staticmethod
    def _share(pool, name, groups):
        for group in groups:
            if group is not None:
                group.variables.add_reference(name, pool, name, index="0")

    # ------------------------------------------------------------------ matrices in the paper's orientation
    def weights(self, direction: str, level: int) -> np.ndarray:
        """W_l (``"forward"``) or V_l (``"feedback"``) as a matrix, shape (n_post, n_pre)."""
        synapses = getattr(self, direction)[level]
        return to_matrix(np.asarray(synapses.weight[:]), synapses.source.N, synapses.target.N)
