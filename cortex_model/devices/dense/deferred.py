"""Changes that wait for the next sum over the same synapses, so that a weight goes through memory once for both.

An update of dense Synapses for which `defer` was called keeps what it reads of neurons and leaves the rest to whoever
needs the weights next: a sum, which lets it change a block of weights just before it adds them up, or any other code
object, before which it changes them all. Not a bit of any result depends on it.
"""

from brian2 import get_device
from brian2.core.variables import ArrayVariable, DynamicArrayVariable

from cortex_model.devices.dense.conditions import LOOPS, n_columns, n_rows, parts


def defer(synapses):
    """Let the updates of dense Synapses wait; the program must include `header` and call ``_do_deferred_NAME``."""
    object.__setattr__(synapses, "deferred", parts(synapses)[1] == 1)  # groups refuse attributes that are no variables


def is_deferred(synapses) -> bool:
    """Whether `defer` was called for this object, and it has no batches."""
    return getattr(synapses, "deferred", False)


def header(synapses) -> str:
    """C++ that every code object includes: the change that waits, and a function that lets it happen."""
    name, networks = synapses.name, parts(synapses)[0]
    return f"""
typedef void (*_Change)(int network, int first_row, int end_row, int first_column, int end_column);
inline _Change& _deferred_{name}() {{ static _Change change = 0; return change; }}
inline void _do_deferred_{name}()
{{
    const _Change change = _deferred_{name}();
    _deferred_{name}() = 0;
    for (int network = 0; change && network < {networks}; network++)
        change(network, 0, {n_rows(synapses)}, 0, {n_columns(synapses)});
}}
"""


class Deferring:
    """Mixed into a C++ generator: tells dense templates what is ``deferred`` and ``kept``, and others not to wait."""

    def determine_keywords(self):
        """Brian2's, and those."""
        keywords = super().determine_keywords()
        touched = {v.owner.name: v.owner for v in self.variables.values() if isinstance(v, DynamicArrayVariable)}
        waiting = sorted(name for name, owner in touched.items() if is_deferred(owner))
        if self.template_name not in LOOPS or not is_deferred(self.owner):
            keywords["pointers_lines"] = keywords["pointers_lines"] + [f"_do_deferred_{name}();" for name in waiting]
            return keywords | {"deferred": ""}
        kept, pointers = {}, list(keywords["pointers_lines"])
        for variable in self.variables.values():
            if isinstance(variable, ArrayVariable) and not isinstance(variable, DynamicArrayVariable):
                array = get_device().get_array_name(variable)
                kept[array] = self.c_data_type(variable.dtype), int(variable.size)
                pointers = [line.replace(f"= {array};", f"= _kept{array};") for line in pointers]
        return keywords | {"deferred": self.owner.name, "kept": kept, "kept_pointers": pointers}
