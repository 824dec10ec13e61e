"""What happens in which step of a stretch of time: derived from what the moments of the stretch read and write."""

from collections.abc import Iterator

from cortex_model.language.events import Conduct, Event, Rest
from cortex_model.language.moments import Carry, Learn, Settle, Show


class Unfolded:
    """A stretch of time, step by step.

    - What is shown happens in the first step. A projection whose presynaptic variable does not change in the stretch
      is summed once, in the step in which that arrives.
    - What settles goes on in each step, and so does all that it, or a projection, needs of the same step. What only
      plasticity needs happens in the last step.
    - What happens from the onset of feedback on makes wait whatever reads what it writes, unless that says that it
      goes on before.

    Parameters
    ----------
    placed : PlacedRule
    stretch : Stretch

    Attributes
    ----------
    shown, each, last : list of tuple of Event
        Groups of the first step, of each step, and of the end of the last step.
    carried, rest, conduct : list or tuple of Event
        What projections carry; everything's return to rest; what moves along axons.
    waiting, held : set of Event
        Those that wait for the onset; those that carry what does not change in the stretch.
    """

    def __init__(self, placed, stretch):
        self.placed, self.from_rest = placed, stretch.from_rest
        sequence = list(placed.unrolled(stretch.moments))
        self.shown = [group for group in sequence if isinstance(group[0].moment, Show)]
        self.carried = [event for group in sequence for event in group if isinstance(event.moment, Carry)]
        rest = [group for group in sequence if not isinstance(group[0].moment, Show | Carry)]
        goes_on = self._goes_on([event for group in rest for event in group])
        self.each = [part for group in rest if (part := tuple(e for e in group if e in goes_on))]
        self.last = [part for group in rest if (part := tuple(e for e in group if e not in goes_on))]
        self.waiting = self._waiting()
        changing = {written for group in self.each for event in group for written in placed.touches(event)[1]}
        changing |= {(placed.ends(e.moment.projection, e.level)[1], e.moment.target) for e in self.carried}
        self.held = {e for e in self.carried if self._source(e) not in changing}
        levels = range(placed.L + 1)
        self.rest = tuple(Event(Rest(), l) for l in levels) if self.from_rest else ()
        self.conduct = tuple(Event(Conduct(), l) for l in levels if placed.axons(l))

    def _source(self, event):
        return self.placed.ends(event.moment.projection, event.level)[0], event.moment.source

    def _reads(self, event):
        return {self._source(event)} if isinstance(event.moment, Carry) else self.placed.touches(event)[0]

    def _goes_on(self, events):
        """Events that happen in each step."""
        found = {event for event in events if isinstance(event.moment, Settle)}
        asked = {read for event in [*found, *self.carried] for read in self._reads(event)}
        while more := {
            e
            for e in events
            if e not in found and not isinstance(e.moment, Learn) and self.placed.touches(e)[1] & asked
        }:
            found |= more
            asked |= {read for event in more for read in self._reads(event)}
        return found

    def _waiting(self):
        """Events that do not happen before the onset."""
        events = [*self.carried, *(event for group in self.each for event in group)]
        writers = {}
        for event in events:
            for written in self.placed.touches(event)[1]:
                writers.setdefault(written, []).append(event)
        waiting = {event for event in events if getattr(event.moment, "from_onset", False)}
        while more := {
            event for event in events
            if event not in waiting
            and not getattr(event.moment, "before_onset", False)
            and any(read in writers and waiting.issuperset(writers[read]) for read in self._reads(event))
        }:  # fmt: skip
            waiting |= more
        return waiting

    def groups(self, counts) -> Iterator[tuple]:
        """Groups of events, each of which happens at once; an empty one stands before each time step."""
        for k in range(counts.n_steps):
            yield ()
            if k == 0:
                yield from filter(None, [self.rest, *self.shown])
            yield from filter(None, [tuple(e for e in self.carried if self._is_summed(e, k, counts)), self.conduct])
            for group in self.each:
                if happening := tuple(e for e in group if k >= counts.onset or e not in self.waiting):
                    yield happening
        yield from self.last

    def _is_summed(self, event, k, counts):
        delay = self.placed.delays.get((event.moment.projection, event.level), 0)
        arrival = delay if counts.arrival is None else counts.arrival[delay]
        if event in self.held:
            return k == arrival or (k < arrival and not self.from_rest)
        return event not in self.waiting or k >= counts.onset
