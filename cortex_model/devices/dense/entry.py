"""What a user types: `dense` around a Synapses, on whatever device is set."""

from importlib import import_module

import numpy as np
from brian2 import Synapses, get_device

from cortex_model.devices.dense.events import check_batch, walk_rows
from cortex_model.errors import DeviceError

#: Brian2's own class of code objects -> the module here that has the dense one.
DENSE = {
    "CPPStandaloneCodeObject": "cpp_standalone",
    "CUDAStandaloneCodeObject": "cuda_standalone",
    "CythonCodeObject": "runtime_cython",
    "NumpyCodeObject": "runtime_numpy",
}


def dense(synapses: Synapses, networks: int = 1, batch: int = 1) -> Synapses:
    r"""Let an all-to-all Synapses run over dense loops instead of index arrays.

    Parameters
    ----------
    synapses : Synapses
        Not yet connected. Its ``codeobj_class`` is set; nothing else changes.
    networks : int
        E independent copies side by side: each joins its own part of the source to its own part of the target, with
        synapses of its own.
    batch : int
        B presentations that share the synapses of a network: the source has E*B times the neurons that one
        presentation needs (network by network, presentation by presentation), and so has the target. Sums are formed
        for each presentation. A synapse's change is one statement ``variable += increment``; the increments of all
        presentations, each from the value before, are added up.

    Returns
    -------
    synapses : Synapses
        The same object, to be connected by one plain ``connect()``.

    Raises
    ------
    DeviceError
        If it is connected already, or has code for events where a batch shares the synapses. What is only known later
        raises then: a partial or second ``connect``, an equation other than ``on_pre`` and ``on_post`` that writes to a
        neuron's variable, and code for events while Brian2CUDA's preference ``use_atomics`` is on.

    Notes
    -----
    Call it after ``set_device`` and after choosing ``prefs.codegen.target``. On standalone devices a synapse takes
    the bytes of its own variables and no more (stock: 8 more for the indices); ``S.i``, ``S.j``, ``S.w[3, 2]``,
    ``S.w = 'i + 2*x_post'`` and monitors of synapses work as ever, and ``len(S)`` is known before the run. The
    runtime device keeps the two index arrays, which Brian2 fills itself. Code for events (``on_pre``, ``on_post``, any
    ``on_event``) walks the row, or the column, of the neuron that has one, in Brian2's order: its results are the same
    bits. A pathway has one delay, ``Synapses(..., delay=2*ms)`` or ``S.delay = 2*ms``, 0 unless given; the events on
    their way are no part of ``store()``. Results of sums differ from stock only in the order
    of a sum's terms. Where a presynaptic 0 multiplies all that a synapse adds, cpp_standalone and cython pass over
    that neuron's synapses (see `cortex_model.devices.dense.silent_rows`). With numpy, a Python function in the
    equations needs its ``implementations.add_numpy_implementation(...)``.

    Not to be confused with a weight matrix outside Brian2: units, clocks and code generation stay Brian2's.

    Examples
    --------
    >>> S = dense(Synapses(G, G, "w : 1\nlateral_post = w*rate_pre : 1 (summed)"))     # doctest: +SKIP
    >>> S.connect()                                                                 # doctest: +SKIP
    """
    if synapses._connect_called:
        raise DeviceError(
            f"dense.{synapses.name}: must be a Synapses before connect() (got one that is connected); "
            "write S = dense(Synapses(...)), then S.connect()."
        )
    for end in (synapses.source, synapses.target):
        if len(end) % (networks * batch):
            raise DeviceError(
                f"dense.{synapses.name}: must join groups of a multiple of networks*batch = {networks * batch} neurons "
                f"(got {len(end)} in {end.name}); change the group or the numbers."
            )
    check_batch(synapses, batch)
    synapses.codeobj_class = dense_code_objects()
    walk_rows(synapses, synapses.codeobj_class)
    object.__setattr__(synapses, "networks", networks)  # groups refuse attributes that are no variables
    object.__setattr__(synapses, "batch", batch)
    if networks * batch > 1:
        for index in ("_network_idx", "_presented_idx"):
            synapses.variables.add_dynamic_array(index, size=0, dtype=np.int32, read_only=True, index="_idx")
    return synapses


def dense_code_objects() -> type:
    """The class of dense code objects on the present device, for ``Synapses(..., codeobj_class=...)``.

    Raises
    ------
    DeviceError
        For a device or a code generation target that has none.
    """
    stock = get_device().code_object_class()
    if stock.__name__ not in DENSE:
        raise DeviceError(
            "dense: must run on runtime (numpy or cython), cpp_standalone or cuda_standalone "
            f"(got {stock.__name__}); leave dense(...) away."
        )
    return import_module(f"{__package__}.{DENSE[stock.__name__]}").DenseCodeObject
