"""A rule in a hierarchy of given sizes: which events it consists of, in which sequence, over which variables."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache, cached_property

from cortex_model.errors import RuleError
from cortex_model.language.events import BOUNDARY, Conduct, Counts, Event, Group, Rest
from cortex_model.language.moments import Carry, Fire, Host, Learn, Let, Pool, Settle
from cortex_model.language.places import Places
from cortex_model.language.rule import Rule, how_often
from cortex_model.language.sequence import Climb, Descend, Repeat, Steps, Stretch, Then, moments_of, repeats_of
from cortex_model.language.statements import expression, names, read_by, written_by
from cortex_model.language.stretches import Unfolded


class PlacedRule:
    """A rule in a hierarchy.

    Parameters
    ----------
    rule : Rule
    layer_sizes : sequence of int
        Neurons of populations 0 ... L.
    delays : dict, optional
        (projection, level) -> time steps that what it carries is on its way.
    """

    def __init__(self, rule: Rule, layer_sizes: tuple[int, ...], delays: Mapping[tuple[str, int], int] | None = None):
        self.rule, self.layer_sizes, self.L = rule, tuple(layer_sizes), len(layer_sizes) - 1
        self.delays = {key: delay for key, delay in (delays or {}).items() if delay}
        self.places = Places(rule, self.L)
        self.ends, self.synapses = self.places.ends, self.places.synapses

    # ------------------------------------------------------------------ sequences
    def counts(self, values: Mapping[str, float], n_steps: int = 1, onset: int = 0) -> Counts:
        """How often and how long things happen, for the numbers of a run.

        Raises
        ------
        RuleError
            If something would arrive after the end of a stretch of time.
        """
        longest = max(self.delays.values(), default=0)
        if not longest < n_steps:
            raise RuleError(
                f"{self.rule.name}: delays must be shorter than a stretch of time (got {longest} of {n_steps} steps); "
                "shorten them."
            )
        times = {repeat.times for sequence in self.rule.phases.values() for repeat in repeats_of(sequence)}
        return Counts({each: how_often(each, values) for each in times}, n_steps, onset)

    def groups(self, phase: str, counts: Counts) -> Iterator[Group]:
        """A presentation as groups of events, each of which happens at once, one after another.

        This is what a declaration means; nothing below knows more of it. `BOUNDARY` stands between time steps.
        """
        yield from self.unrolled(self.rule.phases[phase], counts)

    def unrolled(self, sequence: tuple, counts: Counts | None = None) -> Iterator[Group]:
        """A sequence of moments as `groups`; ``counts`` are needed where something is repeated, or takes time."""
        for part in sequence:
            if isinstance(part, Repeat):
                for _ in range(counts.rounds[part.times]):
                    yield from self.unrolled(part.moments, counts)
                    if isinstance(part, Steps):
                        yield BOUNDARY
            elif isinstance(part, Stretch):
                yield from self._unfolded(part).groups(counts)
            elif isinstance(part, Climb | Descend):
                yield from self._sweep(part)
            elif not isinstance(part, Then | Host) and (places := self.places.of(part)):
                yield tuple(Event(part, at) for at in places)

    def _sweep(self, sweep):
        up = isinstance(sweep, Climb)
        parts = [(moment, set(self.places.of(moment))) for moment in sweep.moments]
        for l in range(1, self.L + 1) if up else range(self.L, 0, -1):
            for moment, places in parts:
                at = l if up or isinstance(moment, Carry | Learn) else l - 1
                if at in places:
                    yield (Event(moment, at),)

    def _unfolded(self, stretch):
        if id(stretch) not in self._stretches:  # stretches that differ in places alone are equal
            self._stretches[id(stretch)] = Unfolded(self, stretch)
        return self._stretches[id(stretch)]

    @cached_property
    def _stretches(self):
        return {}

    def hosts(self, phase: str) -> list[Host]:
        """What the host does before presentations of a phase."""
        return [moment for moment in moments_of(self.rule.phases[phase]) if isinstance(moment, Host)]

    @cached_property
    def examples(self) -> list[Counts]:
        """Counts that show every kind of slot that there is, however often and however long things happen in a run.

        A `Repeat` merges with what stands beside it differently for 0, 1, 2 and more rounds; of `Steps` the first one
        does, if there is any. Of a stretch of time the first step, each arrival, the onset and the last step matter,
        and only their order.
        """
        repeats = [repeat for sequence in self.rule.phases.values() for repeat in repeats_of(sequence)]
        times, steps = sorted({each.times for each in repeats}), {r.times for r in repeats if isinstance(r, Steps)}
        arrival = {delay: k for k, delay in enumerate(sorted({0, *self.delays.values()}))}
        n = len(arrival)
        most = 4 if len(times) < 4 else 2
        rounds = [*itertools.product(*((0, 2) if each in steps else range(most) for each in times))]
        return [Counts(dict(zip(times, each, strict=True)), n + 2, n, arrival) for each in rounds]

    @cached_property
    def once(self) -> Counts:
        """Counts for which everything happens about once."""
        each = self.examples[0]
        if any(isinstance(repeat, Steps) for s in self.rule.phases.values() for repeat in repeats_of(s)):
            return replace(each, rounds=dict.fromkeys(each.rounds, 1))
        return max(self.examples, key=lambda counts: -abs(sum(n - 1 for n in counts.rounds.values())))

    # ------------------------------------------------------------------ what an event does
    @cached_property
    def events(self) -> list[Event]:
        """Every event, in the order in which they first come."""
        once = [max(self.examples, key=lambda counts: sum(counts.rounds.values()))]
        return list(
            dict.fromkeys(e for phase in self.rule.phases for c in once for g in self.groups(phase, c) for e in g)
        )

    def code(self, event: Event) -> str:
        """The statements of a population's event."""
        moment, level = event
        if isinstance(moment, Settle):
            return self.rule.dynamics.step.format(x=moment.variable, f=_as_operand(moment.towards))
        if isinstance(moment, Rest):
            return "\n".join(f"{name} = 0" for name in self.variables(level))
        if isinstance(moment, Conduct):
            along = ((name, k) for name, longest in self.axons(level).items() for k in range(longest, 0, -1))
            return "\n".join(f"{name}_{k} = {name}_{k - 1}" if k > 1 else f"{name}_1 = {name}" for name, k in along)
        return moment.code

    def source(self, event: Event) -> str:
        """What a projection carries: the presynaptic variable of now, or of some steps ago."""
        delay = self.delays.get((event.moment.projection, event.level), 0)
        return f"{event.moment.source}_{delay}" if delay else event.moment.source

    def touches(self, event: Event) -> tuple[frozenset, frozenset]:
        """What an event reads and what it writes: (population, variable), or (projection, level) for its weights."""
        if event not in self._touched:
            self._touched[event] = self._touches(event)
        return self._touched[event]

    @cached_property
    def _touched(self):
        return {}

    def _touches(self, event):
        moment, l = event
        if isinstance(moment, Carry | Learn):
            pre, post = self.ends(moment.projection, l)
            weight = (moment.projection, l)
            if isinstance(moment, Carry):
                target, waits = (post, moment.target), {(pre, moment.on), (post, moment.target)} if moment.on else ()
                return frozenset({weight, (pre, self.source(event)), *waits}), frozenset({target})
            read = {(pre if end == "pre" else post, name) for name, end in {*of_ends(moment), *awaited(moment)}}
            return frozenset({weight, *read}), frozenset({weight})
        if isinstance(moment, Pool):
            to = self.places.seen_by(moment.seen_by, l)
            read = {(l, name) for name in names(expression(moment.of))} | {(to, name) for name in read_by(moment.code)}
            written = {(to, moment.total), *((to, name) for name in written_by(moment.code))}
            return frozenset(read - written), frozenset(written)
        code = self.code(event)
        read, written = set(read_by(code)), set(written_by(code))
        if isinstance(moment, Fire):  # where there is no event, variables stay as they were
            read, written = read | written | names(expression(moment.when)), written | {moment.event}
        return frozenset((l, name) for name in read), frozenset((l, name) for name in written)

    def disturbs(self, a: Event, b: Event) -> bool:
        """Whether it matters which of two events comes first."""
        (reads, writes), (others_reads, others_writes) = self.touches(a), self.touches(b)
        return not (
            writes.isdisjoint(others_reads) and writes.isdisjoint(others_writes) and reads.isdisjoint(others_writes)
        )

    # ------------------------------------------------------------------ variables
    @cached_property
    def _held_by(self):
        """Population -> (its variables, those of them that all its neurons share)."""
        own, shared = ({l: set() for l in range(self.L + 1)} for _ in range(2))
        for event in self.events:
            moment, l = event
            if isinstance(moment, Let):
                own[l] |= set(written_by(moment.code))
            elif isinstance(moment, Settle):
                own[l] |= set(written_by(self.code(event)))
            elif isinstance(moment, Pool):
                shared[self.places.seen_by(moment.seen_by, l)] |= {moment.total, *written_by(moment.code)}
            elif isinstance(moment, Carry):
                for end, name in zip(self.ends(moment.projection, l), (moment.source, moment.target), strict=True):
                    if end is not None:
                        own[end].add(name)
        for l in own:
            own[l] -= shared[l] | set(self.rule.remembers)
        return own, shared

    def variables(self, level: int) -> list[str]:
        """What each neuron of a population has: whatever is assigned in it, arrives in it or is sent from it."""
        along = [f"{name}_{k + 1}" for name, longest in self.axons(level).items() for k in range(longest)]
        return sorted(self._held_by[0][level]) + along

    def events_of(self, level: int) -> dict[str, Event]:
        """Name of each event that neurons of a population have -> what fires it.

        Raises
        ------
        RuleError
            If two moments fire one event of a population.
        """
        found: dict[str, Event] = {}
        for event in (e for e in self.events if isinstance(e.moment, Fire) and e.level == level):
            if (other := found.setdefault(event.moment.event, event)) != event:
                raise RuleError(
                    f"{self.rule.name}: an event must be fired by one moment in a population (got "
                    f"{other.moment.when!r} and {event.moment.when!r} for {event.moment.event!r} of population "
                    f"{level}); give it one condition, or two names."
                )
        return found

    def shared(self, level: int) -> list[str]:
        """What all neurons of a population see one value of, for each stimulus: what pools give."""
        return sorted(self._held_by[1][level])

    def remembered(self, level: int) -> list[str]:
        """What a population keeps from one presentation to the next: one value of each."""
        return sorted(self._remembered.get(level, ()))

    @cached_property
    def _remembered(self):
        kept, found = set(self.rule.remembers), {}
        for event in self.events if kept else ():
            for at, name in self.touches(event)[0]:
                if name in kept:
                    found.setdefault(at, set()).add(name)
        return found

    def axons(self, level: int) -> dict[str, int]:
        """Variable -> time steps along the longest axon that carries it from a population."""
        return self._axons.get(level, {})

    @cached_property
    def _axons(self):
        longest = {}
        carries = (m for s in self.rule.phases.values() for m in moments_of(s) if isinstance(m, Carry))
        for moment in carries if self.delays else ():
            for l in self.places.of(moment):
                pre, delay = self.ends(moment.projection, l)[0], self.delays.get((moment.projection, l), 0)
                if delay:
                    mine = longest.setdefault(pre, {})
                    mine[moment.source] = max(mine.get(moment.source, 0), delay)
        return longest

    @property
    def trace_names(self) -> list[str]:
        """Every variable that can be traced: ``rate_2`` is that of population 2."""
        return [f"{name}_{l}" for l in range(self.L + 1) for name in sorted(self._held_by[0][l])]


@cache
def of_ends(learn: Learn) -> frozenset[tuple[str, str]]:
    """(variable, end) of everything that a change of weights reads at either end."""
    read = names(expression(learn.increment))
    return frozenset(
        (name.removesuffix(f"_{end}"), end) for name in read for end in ("pre", "post") if name.endswith(f"_{end}")
    )


def awaited(learn: Learn) -> tuple[tuple[str, str], ...]:
    """(event, end) for which a change of weights waits; nothing where it does not."""
    name, _, end = learn.on.rpartition("_")
    return ((name, end),) if learn.on else ()


def _as_operand(text):
    """An expression in brackets where something else may follow it."""
    return text if text.isidentifier() else f"({text})"
