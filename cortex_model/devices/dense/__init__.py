r"""Dense projections: all-to-all Synapses of any Brian2 model, without index arrays and several times faster.

Stock Brian2 visits a synapse through two index arrays: ``total[post[k]] += weight[k]*rate[pre[k]]``. Where every
neuron is joined to every other, synapse k = i*N_post + j needs neither, and a compiler can work on several
neighbours at once. The equations, their units and their results stay what they are; only the loops change::

    from cortex_model.devices.dense import dense

    S = dense(Synapses(G, H, "w : 1\ntotal_post = w*rate_pre : 1 (summed)"))
    S.connect()

This holds for summed variables, ``run_regularly``, differential equations, constant-over-dt subexpressions, and for
spikes and custom events (``on_pre``, ``on_post``) with one delay a pathway, on the runtime device (numpy, cython),
cpp_standalone and cuda_standalone.
"""

from cortex_model.devices.dense.entry import dense, dense_code_objects

__all__ = ["dense", "dense_code_objects"]
