{# USES_VARIABLES { N_pre, N_post } #}
{# ALLOWS_SCALAR_WRITE #}
{# One synapse after the other in memory, row by row: no index is read. #}
{% extends 'common_group.pyx' %}

{% block maincode %}
    cdef int _network_idx, _presented_idx, _row, _column
    cdef int _n_networks = {{owner.networks|default(1)}}, _n_presentations = {{owner.batch|default(1)}}
    cdef int _n_rows = {{constant_or_scalar('N_pre', variables['N_pre'])}}//(_n_networks*_n_presentations)
    cdef int _n_columns = {{constant_or_scalar('N_post', variables['N_post'])}}//(_n_networks*_n_presentations)
    _vectorisation_idx = 1
    {{scalar_code|autoindent}}

    {% if incremented %}
    cdef {{cpp_dtype(increment_type)}}[:, :] _sums = _numpy.empty((_n_rows, _n_columns), _numpy.{{numpy_dtype(increment_type)}})
    {% endif %}
    for _network_idx in range(_n_networks):
        {% if incremented %}
        _sums[:, :] = 0
        {% endif %}
        for _presented_idx in range(_network_idx*_n_presentations, (_network_idx + 1)*_n_presentations):
            for _row in range(_n_rows):
                _presynaptic_idx = _presented_idx*_n_rows + _row + {{owner.source.start|default(0)}}
                {% if silent %}
                if {{silent}}:
                    continue
                {% endif %}
                for _column in range(_n_columns):
                    _postsynaptic_idx = _presented_idx*_n_columns + _column + {{owner.target.start|default(0)}}
                    _idx = (<size_t>_network_idx*_n_rows + _row)*_n_columns + _column
                    _vectorisation_idx = _idx
                    {{vector_code|autoindent}}
                    {% if incremented %}
                    _sums[_row, _column] += _increment
                    {% endif %}
        {% if incremented %}
        for _row in range(_n_rows):
            for _column in range(_n_columns):
                {{incremented}}[(<size_t>_network_idx*_n_rows + _row)*_n_columns + _column] += _sums[_row, _column]
        {% endif %}
{% endblock %}
