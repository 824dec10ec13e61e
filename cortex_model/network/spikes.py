"""What happens at spikes, and other events: in the neurons that have one, and at their synapses."""

from cortex_model.language.moments import Carry, Learn
from cortex_model.language.placed import awaited
from cortex_model.schedule.chunk import own
from cortex_model.schedule.declared import PHASE_GATES


def fired(objects, level: int) -> dict[str, str]:
    """Events of a population -> their conditions.

    They are asked in every slot, so that there are no events where a gate is closed.
    """
    fires = objects.placed.events_of(level).items()
    return {name: f"{objects.gates[event]} > 0 and ({event.moment.when})" for name, event in fires}


def pathways(objects, events: list) -> dict[str, dict]:
    """What waits for events at the synapses of one projection, as Brian2 is told: on_pre, on_post and on_event."""
    options: dict[str, dict] = {"on_pre": {}, "on_post": {}, "on_event": {}}
    for event in events:
        moment, name = event.moment, _name(objects, event)
        if isinstance(moment, Learn):
            ((awaits, end),) = awaited(moment)
            options[f"on_{end}"][name] = f"weight += {objects.increment(event)}"
        else:
            awaits = moment.on
            options["on_pre"][name] = f"{moment.target}_post += weight*{moment.source}_pre"
        options["on_event"][name] = awaits
    return options if events else {}


def _name(objects, event):
    """A name that no other pathway of its projection has."""
    moments = [(e, e.moment) for e in objects.order if isinstance(e.moment, Carry | Learn) and e.moment.on]
    alike = [e for e, m in moments if (m.projection, e.level) == (event.moment.projection, event.level)]
    name = event.moment.name or "pathway"
    same = [e for e in alike if (e.moment.name or "pathway") == name]
    return name if len(same) == 1 else f"{name}_{same.index(event) + 1}"


def add_events(objects, event) -> None:
    """Let neurons of a population have an event, and do what that makes them do."""
    moment, group, clockwork = event.moment, objects.populations[event.level], objects.clockwork
    order, gate = objects.order[event], objects.gates[event]
    group.set_event_schedule(moment.event, when="groups", order=order)
    code = objects.runnable(moment.code, event.level)
    is_own = f"*int({own(gate)})" if clockwork.ensemble_size > 1 else ""
    for (its, phase, level), counted in objects.declared.events_counted.items():
        if (its, level) == (moment.event, event.level):
            clockwork.show(group, PHASE_GATES[phase], called=f"is_{phase}")
            code += f"\n{counted} += is_{phase}{is_own}"
    clockwork.show(group, gate, *([own(gate)] if is_own else []))
    # a monitor of a user's own comes at order + 1, where Brian2 puts it, and sees the signs of these very spikes
    resetter = group.run_on_event(moment.event, code, when="groups", order=order + 0.5)
    clockwork.show_read(group, f"{code} {moment.when}")
    clockwork.gate(resetter, gate)


def add_pathway(objects, event) -> None:
    """Let something happen at the synapses of neurons that have an event."""
    moment = event.moment
    synapses, name = objects.projections[moment.projection, event.level], _name(objects, event)
    pathway = next(each for each in synapses._pathways if each.objname == name)
    pathway.when, pathway.order = "groups", objects.order[event]
    if isinstance(moment, Learn):
        objects.increment(event, synapses)
    objects.clockwork.show_read(synapses, pathway.code)
    objects.clockwork.gate(pathway, objects.gates[event])
