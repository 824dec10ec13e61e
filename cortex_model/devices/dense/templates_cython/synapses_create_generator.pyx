{# USES_VARIABLES { _synaptic_pre, _synaptic_post, N, N_pre, N_post, _source_offset, _target_offset } #}
{# WRITES_TO_READ_ONLY_VARIABLES { _synaptic_pre, _synaptic_post, N} #}
{# All pairs of each network at once. #}
{% extends 'common_group.pyx' %}

{% block maincode %}
    from cortex_model.devices.dense.computed_indices import ends_of

    pre, post = ends_of(_owner)
    cdef int32_t[:] _pre = pre.astype(_numpy.int32), _post = post.astype(_numpy.int32)
    {{_dynamic__synaptic_pre_ptr}}.resize(_pre.shape[0])
    {{_dynamic__synaptic_post_ptr}}.resize(_pre.shape[0])
    cdef int32_t* _pre_data = {{_dynamic__synaptic_pre_ptr}}.get_data_ptr()
    cdef int32_t* _post_data = {{_dynamic__synaptic_post_ptr}}.get_data_ptr()
    for _idx in range(_pre.shape[0]):
        _pre_data[_idx] = _pre[_idx]
        _post_data[_idx] = _post[_idx]
    _owner._resize(_pre.shape[0])
    _owner._update_synapse_numbers(0)
{% endblock %}
