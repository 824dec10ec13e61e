{# USES_VARIABLES { N_pre, N_post } #}
{# ALLOWS_SCALAR_WRITE #}
{# One synapse after the other in memory, row by row: no index is read. #}
{% extends 'common_group.cpp' %}

{% block maincode %}
    {% from 'dense.cpp' import sizes, presynaptic, pass_over_silent, postsynaptic with context %}
    {{sizes()}}
    const size_t _vectorisation_idx = -1;
    {{scalar_code|autoindent}}

    {{openmp_pragma('parallel-static')}}
    for (int _row = 0; _row < _n_rows; _row++)
    {
        {{presynaptic()}}
        {{pass_over_silent()}}
        for (int _column = 0; _column < _n_columns; _column++)
        {
            {{postsynaptic()}}
            {{vector_code|autoindent}}
        }
    }
{% endblock %}
