{# USES_VARIABLES { N, N_pre, N_post } #}
{# ALLOWS_SCALAR_WRITE #}
{# One thread a synapse: neighbouring threads read neighbouring synapses. Its ends are counted. #}
{% extends 'common_group.cu' %}

{% block kernel_maincode %}
    {% from 'dense.cu' import sizes, ends with context %}
    {{sizes()}}
    {{scalar_code|autoindent}}
    const int _column = _idx % _n_columns;
    const int _row = _idx/_n_columns % _n_rows;
    const int _network_idx = _idx/_n_columns/_n_rows;
    {% if incremented %}
    {{c_data_type(increment_type)}} _sum = 0;
    for (int _b = 0; _b < _n_presentations; _b++)
    {
        const int _presented_idx = _network_idx*_n_presentations + _b;
        {{ends()}}
        {{vector_code|autoindent}}
        _sum += _increment;
    }
    {{incremented}}[_idx] += _sum;
    {% else %}
    {
        const int _presented_idx = _network_idx;
        {{ends()}}
        {{vector_code|autoindent}}
    }
    {% endif %}
{% endblock kernel_maincode %}
