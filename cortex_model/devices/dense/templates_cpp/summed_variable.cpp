{# USES_VARIABLES { N_pre, N_post } #}
{# Sums in an order that the sizes alone decide: the same bits on every run. #}
{% extends 'common_group.cpp' %}

{% block maincode %}
    {% from 'dense.cpp' import sizes, presynaptic, pass_over_silent, postsynaptic with context %}
    {% set target = get_array_name(_target_var) %}
    {% set number = c_data_type(_target_var.dtype) %}
    {{sizes()}}
    const size_t _vectorisation_idx = -1;
    {{scalar_code|autoindent}}

    {% if _index_var.name == '_synaptic_post' %}
    // row by row; 128 columns at a time, so that their sums stay near the processor
    {{openmp_pragma('parallel-static')}}
    for (int _first = 0; _first < _n_columns; _first += 128)
    {
        const int _n = _n_columns - _first < 128 ? _n_columns - _first : 128;
        {{number}} _sums[128];
        for (int _k = 0; _k < _n; _k++)
            _sums[_k] = 0;
        for (int _row = 0; _row < _n_rows; _row++)
        {
            {{presynaptic()}}
            {{pass_over_silent()}}
            for (int _k = 0; _k < _n; _k++)
            {
                const int _column = _first + _k;
                {{postsynaptic()}}
                {{vector_code|autoindent}}
                _sums[_k] += _synaptic_var;
            }
        }
        for (int _k = 0; _k < _n; _k++)
            {{target}}[_first + _k + {{_target_start}}] = _sums[_k];
    }
    {% else %}
    // along each row, in 16 sums of their own: one alone would wait for itself
    {{openmp_pragma('parallel-static')}}
    for (int _row = 0; _row < _n_rows; _row++)
    {
        {{presynaptic()}}
        {{number}} _sums[16] = {0};
        int _first = 0;
        for (; _first + 16 <= _n_columns; _first += 16)
            for (int _k = 0; _k < 16; _k++)
            {
                const int _column = _first + _k;
                {{postsynaptic()}}
                {{vector_code|autoindent}}
                _sums[_k] += _synaptic_var;
            }
        for (int _column = _first; _column < _n_columns; _column++)
        {
            {{postsynaptic()}}
            {{vector_code|autoindent}}
            _sums[0] += _synaptic_var;
        }
        {{number}} _total = 0;
        for (int _k = 0; _k < 16; _k++)
            _total += _sums[_k];
        {{target}}[_row + {{_target_start}}] = _total;
    }
    {% endif %}
{% endblock %}
