{# USES_VARIABLES { _events, N_pre, N_post } #}
{# The synapses of a neuron that has an event, one after the other: no index is read. #}
{% extends 'common_group.pyx' %}

{% block maincode %}
    cdef int _network_idx, _presented_idx, _own, _other, _event
    cdef int _n_networks = {{owner.networks|default(1)}}
    cdef int _n_rows = {{constant_or_scalar('N_pre', variables['N_pre'])}}//_n_networks
    cdef int _n_columns = {{constant_or_scalar('N_post', variables['N_post'])}}//_n_networks
    cdef int32_t[:] _due = _events.due()
    cdef size_t _nth
    _vectorisation_idx = 1
    {{scalar_code|autoindent}}

    {% set n, m = ('_n_rows', '_n_columns') if pathway.prepost == 'pre' else ('_n_columns', '_n_rows') %}
    for _nth in range(_due.shape[0]):
        _event = _due[_nth]
        _network_idx = (_event - {{pathway.spikes_start}})//{{n}}
        _presented_idx = _network_idx
        _own = (_event - {{pathway.spikes_start}}) % {{n}}
        for _other in range({{m}}):
            {% if pathway.prepost == 'pre' %}
            _presynaptic_idx = _event
            _postsynaptic_idx = _network_idx*_n_columns + _other + {{owner.target.start|default(0)}}
            _idx = (<size_t>_network_idx*_n_rows + _own)*_n_columns + _other
            {% else %}
            _presynaptic_idx = _network_idx*_n_rows + _other + {{owner.source.start|default(0)}}
            _postsynaptic_idx = _event
            _idx = (<size_t>_network_idx*_n_rows + _other)*_n_columns + _own
            {% endif %}
            _vectorisation_idx = _idx
            {{vector_code|autoindent}}
{% endblock %}
