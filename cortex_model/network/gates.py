"""Gates: 0/1 variables of ``now`` that say which equations happen in the present slot.

A Brian2 object that was given a gate runs only while that gate is open; `cortex_model.devices.gates` makes
code objects that obey. So a phase is data: a column of zeros and ones for each gate.
"""


def gate_on(obj, now, gate):
    """Let ``obj`` run only while ``gate`` is open."""
    group = getattr(obj, "group", obj)
    if gate not in group.variables:
        group.variables.add_reference(gate, now, gate, index="0")
    obj.needed_variables.append(gate)
    object.__setattr__(obj, "gate", gate)  # groups refuse attributes that are no variables
