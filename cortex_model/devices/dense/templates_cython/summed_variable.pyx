{# USES_VARIABLES { N_pre, N_post } #}
{# One synapse after the other in memory, row by row: no index is read. #}
{% extends 'common_group.pyx' %}

{% block maincode %}
    {% set target = get_array_name(_target_var) %}
    {% set to_post = _index_var.name == '_synaptic_post' %}
    cdef int _network_idx, _presented_idx, _row, _column
    cdef int _n_presented = {{(owner.networks|default(1))*(owner.batch|default(1))}}
    cdef int _n_rows = {{constant_or_scalar('N_pre', variables['N_pre'])}}//_n_presented
    cdef int _n_columns = {{constant_or_scalar('N_post', variables['N_post'])}}//_n_presented
    _vectorisation_idx = 1
    {{scalar_code|autoindent}}

    for _column in range(_n_presented*{{'_n_columns' if to_post else '_n_rows'}}):
        {{target}}[_column + {{_target_start}}] = 0
    for _presented_idx in range(_n_presented):
        _network_idx = _presented_idx//{{owner.batch|default(1)}}
        for _row in range(_n_rows):
            _presynaptic_idx = _presented_idx*_n_rows + _row + {{owner.source.start|default(0)}}
            {% if silent and to_post %}
            if {{silent}}:
                continue
            {% endif %}
            for _column in range(_n_columns):
                _postsynaptic_idx = _presented_idx*_n_columns + _column + {{owner.target.start|default(0)}}
                _idx = (<size_t>_network_idx*_n_rows + _row)*_n_columns + _column
                _vectorisation_idx = _idx
                {{vector_code|autoindent}}
                {{target}}[_presented_idx*{{'_n_columns + _column' if to_post else '_n_rows + _row'}}
                           + {{_target_start}}] += _synaptic_var
{% endblock %}
