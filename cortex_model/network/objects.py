"""Brian2 objects from a declaration: one group a population, one Synapses a projection, one updater an event."""

import itertools
import re
from dataclasses import replace

from brian2 import NeuronGroup, Synapses

from cortex_model.errors import RuleError
from cortex_model.language.events import Event
from cortex_model.language.moments import Carry, Fire, Learn, Pool
from cortex_model.language.placed import of_ends
from cortex_model.language.statements import expression, filled, names, rewritten, written_by
from cortex_model.language.traffic import said
from cortex_model.network import spikes
from cortex_model.network.clockwork import Clockwork
from cortex_model.network.noise import noise_function
from cortex_model.network.tanh import tanh_function
from cortex_model.schedule.chunk import own
from cortex_model.schedule.declared import ANSWER_GATE, Declared
from cortex_model.state.philox import DESCENDING

#: Brian2's ``order`` of an event is ten times its place in the order; rows of stimuli are looked up just before.
PER_EVENT = 10
#: What a population reads of the stimuli -> the table that has it, and the index into that.
SHOWN = {"stimulus": ("stimuli", "stimulus_index"), "target": ("targets", "target_index")}


class Objects:
    """The populations, projections and pools of a declaration, and all that happens in them.

    Parameters
    ----------
    declared : Declared
    clockwork : Clockwork

    Attributes
    ----------
    populations : list of NeuronGroup
    projections : dict of Synapses
        (projection, level) -> the Synapses that hold its weights.
    pools : list of NeuronGroup and Synapses
        Single neurons that sum over a population, and the Synapses by which they do.
    always_active : list of NeuronGroup
        One neuron, whose rate is always 1, where there are biases.
    """

    def __init__(self, declared: Declared, clockwork: Clockwork):
        self.declared, self.placed, self.clockwork = declared, declared.placed, clockwork
        self.order = {event: PER_EVENT * n for event, n in declared.ordering.order.items()}
        self.gates = declared.ordering.gates
        self.pools, self._pool_of, self._seen = [], {}, self._pools_seen()
        self._names: set[str] = set()
        noise = declared.parameters.noise_distribution
        self._functions = {
            "noise": noise_function(noise), "uniform_noise": noise_function("uniform", "uniform_noise"),
            "tanh_of": tanh_function(),
        }  # fmt: skip
        self.populations = [self._population(l) for l in range(self.placed.L + 1)]
        self.always_active: list[NeuronGroup] = []
        self.projections = {key: self._projection(*key) for key in self.placed.synapses}
        for event in self.order:
            if isinstance(event.moment, Pool):
                self._add_pool(event)
        for event in self.order:
            if getattr(event.moment, "on", ""):
                spikes.add_pathway(self, event)
            elif isinstance(event.moment, Learn):
                self._add_plasticity(event)
            elif isinstance(event.moment, Fire):
                spikes.add_events(self, event)
            elif isinstance(event.moment, Carry):
                synapses = self.projections[event.moment.projection, event.level]
                clockwork.sum(synapses, f"{event.moment.target}_post", self.order[event], self.gates[event])
        for events in self._together():
            self._add_step(events)
        self._add_answer()

    # ------------------------------------------------------------------ groups
    def _population(self, l):
        """The NeuronGroup of a population, with everything its equations see."""
        size, is_top = self.declared.parameters.layer_sizes[l], l == self.placed.L
        model = [f"{name} : 1" for name in self.placed.variables(l)]
        shown = {name for event in self._at(l) for name in self._read(event) & SHOWN.keys()}
        model += [f"{SHOWN[name][1]} : integer" for name in sorted(shown)]
        model += ["readout_index : integer"] if is_top else []
        model += [f"{name} : integer" for (_, _, level), name in self.declared.events_counted.items() if level == l]
        options = {"namespace": self._functions} | ({"events": fired} if (fired := spikes.fired(self, l)) else {})
        group = self.clockwork.group(size, "\n".join(model), f"population_{l}", **options)
        for name in sorted(shown):
            table, index = SHOWN[name]
            group.variables.add_reference(name, getattr(self.clockwork, table), "rate", index=index)
        if is_top:
            group.variables.add_reference("answer", self.clockwork.readout, "rate", index="readout_index")
        for name in self.placed.remembered(l):
            self.clockwork.show(group, f"{name}_{l}", called=name)
        return group

    def _at(self, l):
        return [e for e in self.order if e.level == l and not isinstance(e.moment, Carry | Learn | Pool | Fire)]

    def _read(self, event):
        return {name for _, name in self.placed.touches(event)[0]}

    def _projection(self, name, l):
        """The Synapses of a projection: a weight, a sum for each variable that it carries, what happens at spikes."""
        events = [
            e for e in self.order if isinstance(e.moment, Carry | Learn) if (e.moment.projection, e.level) == (name, l)
        ]
        carries = [event for event in events if isinstance(event.moment, Carry) and not event.moment.on]
        sums = [f"{e.moment.target}_post = weight*{self.placed.source(e)}_pre : 1 (summed)" for e in carries]
        pre, post = self.placed.ends(name, l)
        source = self._always_active() if pre is None else self.populations[pre]
        model, pathways = "\n".join(["weight : 1", *sums]), spikes.pathways(self, [e for e in events if e.moment.on])
        synapses = Synapses(source, self.populations[post], model, name=f"{name}_{l}", **pathways)
        self.clockwork.connect(synapses, self.clockwork.ensemble_size, self.clockwork.batch_size)
        return synapses

    def _always_active(self):
        if not self.always_active:
            self.always_active.append(self.clockwork.group(1, "rate : 1", "always_active"))
            self.always_active[0].rate = 1
        return self.always_active[0]

    # ------------------------------------------------------------------ what happens
    def step(self, group, name, code, order, gate):
        """Let statements happen in ``group`` at ``order`` of each slot in which ``gate`` is open."""
        self.clockwork.show_read(group, code)
        self.clockwork.gate(group.run_regularly(code, when="groups", order=order, name=f"{group.name}_{name}"), gate)

    def _together(self):
        """Events of populations, those together that can be done neuron by neuron in one pass.

        An event joins an earlier one of the same population and gate if it disturbs nothing that stands between them.
        """
        passes: list[list[Event]] = []
        ordered = list(self.order)
        for at, event in enumerate(ordered):
            if isinstance(event.moment, Carry | Learn | Pool | Fire):
                continue
            for events in passes:
                if events[0].level != event.level or self.gates[events[0]] != self.gates[event]:
                    continue
                between = ordered[ordered.index(events[0]) + 1 : at]
                is_free = not any(other not in events and self.placed.disturbs(other, event) for other in between)
                if is_free and not self._read(event) & SHOWN.keys():
                    events.append(event)
                    break
            else:
                passes.append([event])
        return passes

    def _add_step(self, events):
        """Let events of one population happen in one pass over its neurons."""
        first, l = events[0], events[0].level
        group, order, gate = self.populations[l], self.order[first], self.gates[first]
        for name in sorted(self._read(first) & SHOWN.keys()):
            n = self.declared.parameters.layer_sizes[l]
            row = f"{SHOWN[name][1]} = stimulus_row*{n} + {self.clockwork.neuron(n)}"
            self.step(group, self._name(group, f"{name}_row"), row, order - 1, gate)
        code = "\n".join(self.runnable(self._seeing(event, self.placed.code(event)), l) for event in events)
        named = [event.moment.name for event in events if getattr(event.moment, "name", "")]
        name = named[-1] if named else "_".join(dict.fromkeys(v for e in events for v in self._written(e)))
        self.step(group, self._name(group, name or "event"), code, order, gate)

    def _written(self, event):
        is_inner = not hasattr(event.moment, "paper")
        return [type(event.moment).__name__.lower()] if is_inner else written_by(self.placed.code(event))

    def _name(self, group, name):
        """A name that no other updater of a group has."""
        found, n = name, 1
        while f"{group.name}_{found}" in self._names:
            n += 1
            found = f"{name}_{n}"
        self._names.add(f"{group.name}_{found}")
        return found

    def runnable(self, code, l):
        """Statements, with functions that draw and tanh as devices know them."""
        n = self.declared.parameters.layer_sizes[l]
        functions = {"noise": "noise", "uniform": "uniform_noise"}

        def change(node):
            called = getattr(getattr(node, "func", None), "id", "")
            if called == "tanh":
                return filled("tanh_of(x)", x=node.args[0])
            if called not in functions:
                return node
            draw = f"{functions[called]}(noise_seed, presentation, {l} + {DESCENDING}*stream, neuron)"
            draw = filled(draw, stream=node.args[0], neuron=expression(self.clockwork.neuron(n)))
            return draw if called == "noise" else filled(f"draw/{2 * 3**0.5!r} + 0.5", draw=draw)

        return rewritten(code, change)

    def _add_plasticity(self, event):
        """Let weights of a projection change by one statement, ``weight += increment``."""
        synapses = self.projections[event.moment.projection, event.level]
        increment = self.increment(event, synapses)
        name = self._name(synapses, event.moment.name or "update")
        self.step(synapses, name, f"weight += {increment}", self.order[event], self.gates[event])

    def increment(self, event, synapses=None):
        """What is added to a weight; what that reads of the clockwork and of pools becomes readable in ``synapses``."""
        moment, clockwork, gate = event.moment, self.clockwork, self.gates[event]
        step, shown = moment.step, []
        if clockwork.ensemble_size > 1:
            shown.append((own(gate), {}))
            step += f"*{own(gate)}"
        if clockwork.batch_size > 1:
            step += f"/{clockwork.batch_size}"
        increment = replace(moment, step=step).increment
        for name, end in sorted(of_ends(moment)):
            population = self.placed.ends(moment.projection, event.level)[end == "post"]
            if (event, population, name) in self._seen:
                pool = self._seen[event, population, name]
                called = self._called(pool, name, end)
                shown.append((name, {"of": self._pool_of.get(pool), "called": called}))
            elif population is not None and name in self.placed.remembered(population):
                called = f"{end}_{name}"
                shown.append((f"{name}_{population}", {"called": called}))
            else:
                continue
            increment = re.sub(rf"\b{name}_{end}\b", called, increment)
        for name, options in shown if synapses is not None else ():
            clockwork.show(synapses, name, **options)
        return increment

    # ------------------------------------------------------------------ pools
    def _pools_seen(self):
        """(event, population, variable) -> the pool whose sum the event reads there: the last before it."""
        seen: dict[tuple, Event] = {}
        for phase, counts in itertools.product(self.placed.rule.phases, self.placed.examples):
            last: dict[tuple, Event] = {}
            for event in (event for group in self.placed.groups(phase, counts) for event in group):
                reads, writes = self.placed.touches(event)
                for key in reads & last.keys():
                    pool = seen.setdefault((event, *key), last[key])
                    if pool != last[key]:
                        raise RuleError(
                            f"{self.placed.rule.name}.{phase}: {key[1]} of population {key[0]} must come from one Pool "
                            f"wherever {said(event.moment)!r} reads it (got two); give the pools' totals two names."
                        )
                if isinstance(event.moment, Pool):
                    last |= dict.fromkeys(writes, event)
        return seen

    def _called(self, pool, name, prefix=""):
        """What a variable of a pool is called where it is seen: by its own name, if only one pool has such."""
        to = self.placed.places.seen_by(pool.moment.seen_by, pool.level)
        alike = [e for e in self.order if isinstance(e.moment, Pool) and (to, name) in self.placed.touches(e)[1]]
        called = name if len(alike) == 1 else f"{name}_from_{alike.index(pool)}"
        return f"{prefix}_{called}" if prefix else called

    def _seeing(self, event, code):
        """Code of a population's event, with what pools are called where it sees them."""
        for at, population, name in [key for key in self._seen if key[0] == event]:
            pool = self._seen[at, population, name]
            called = self._called(pool, name)
            self.clockwork.show(self.populations[event.level], name, of=self._pool_of[pool], called=called)
            code = re.sub(rf"\b{name}\b", called, code)
        return code

    def _add_pool(self, event):
        """One neuron a stimulus that sums over a population, and the Synapses by which it does."""
        moment, l = event.moment, event.level
        group, clockwork, total = self.populations[l], self.clockwork, moment.total
        own = dict.fromkeys([total, *written_by(moment.code)])
        name = self._name(group, total)
        neuron = clockwork.group(1, "\n".join(f"{each} : 1" for each in own), f"{group.name}_{name}")
        ends = {each: expression(f"{each}_pre") for each in names(expression(moment.of)) & {*self.placed.variables(l)}}
        summed = rewritten(moment.of, lambda node: ends.get(getattr(node, "id", None), node))
        synapses = Synapses(group, neuron, f"{total}_post = {summed} : 1 (summed)", name=f"{neuron.name}_pool")
        clockwork.connect(synapses, clockwork.n_shown, 1)
        clockwork.sum(synapses, f"{total}_post", self.order[event], self.gates[event])
        clockwork.show(synapses, *sorted(names(expression(moment.of)) & {*self.declared.numbers}))
        if moment.code:
            self.step(neuron, written_by(moment.code)[-1], moment.code, self.order[event] + 1, self.gates[event])
        self._pool_of[event] = neuron
        self.pools += [neuron, synapses]

    def _add_answer(self):
        """Let the top population's rates be kept at the end of each evaluation."""
        top, last = self.populations[-1], PER_EVENT * len(self.order)
        row = f"readout_index = readout_row*{top.N} + i"
        self.step(top, "answer_row", row, last, ANSWER_GATE)
        self.step(top, "answer", "answer = rate", last + 1, ANSWER_GATE)

    @property
    def record_order(self) -> int:
        """When within a slot a monitor records: after all that happens in it."""
        return PER_EVENT * len(self.order) + 2
