{# USES_VARIABLES { N_pre, N_post } #}
{# ALLOWS_SCALAR_WRITE #}
{# One synapse after the other in memory, row by row: no index is read. #}
{% extends 'common_group.cpp' %}

{% block maincode %}
    {% from 'dense.cpp' import sizes, presynaptic, synapse, width, change with context %}
    {% if deferred %}
    // what is read of neurons is kept; the change itself waits for whoever needs the weights
    _do_deferred_{{deferred}}();
    {% for array, (type, n) in kept.items() %}
    static {{type}} _kept{{array}}[{{n}}];
    std::copy({{array}}, {{array}} + {{n}}, _kept{{array}});
    {% endfor %}
    _deferred_{{deferred}}() = [](int _network_idx, int _first_row, int _end_row, int _first_column, int _end_column)
    {
        %CONSTANTS%
        {{kept_pointers|autoindent}}
        {{sizes()}}
        const size_t _vectorisation_idx = -1;
        {{scalar_code|autoindent}}
        {{change()|autoindent}}
    };
    {% else %}
    {{sizes()}}
    const size_t _vectorisation_idx = -1;
    {{scalar_code|autoindent}}

    {% if not incremented %}
    const int _first_row = 0, _end_row = _n_rows, _first_column = 0, _end_column = _n_columns;
    for (int _network_idx = 0; _network_idx < _n_networks; _network_idx++)
    {
        {{change()|autoindent}}
    }
    {% else %}
    for (int _network_idx = 0; _network_idx < _n_networks; _network_idx++)
    {
        // tiles whose increments stay in the processor's registers while the presentations pass
        const int _tile_rows = 8, _tile_columns = {{width(increment_type)}};
        for (int _first_row = 0; _first_row < _n_rows; _first_row += _tile_rows)
            for (int _first = 0; _first < _n_columns; _first += _tile_columns)
            {
                {{c_data_type(increment_type)}} _sums[_tile_rows][_tile_columns] = {};
                const int _m = _n_rows - _first_row < _tile_rows ? _n_rows - _first_row : _tile_rows;
                const int _n = _n_columns - _first < _tile_columns ? _n_columns - _first : _tile_columns;
                {% for is_whole in (True, False) %}
                {{'if (__builtin_expect(_m == _tile_rows && _n == _tile_columns, 1))' if is_whole else 'else'}}
                    for (int _b = 0; _b < _n_presentations; _b++)
                    {
                        const int _presented_idx = _network_idx*_n_presentations + _b;
                        #pragma GCC unroll 8
                        for (int _r = 0; _r < {{'_tile_rows' if is_whole else '_m'}}; _r++)
                        {
                            const int _row = _first_row + _r;
                            {{presynaptic()|autoindent}}
                            for (int _k = 0; _k < {{'_tile_columns' if is_whole else '_n'}}; _k++)
                            {
                                const int _column = _first + _k;
                                {{synapse()|autoindent}}
                                _sums[_r][_k] += _increment;
                            }
                        }
                    }
                {% endfor %}
                for (int _r = 0; _r < _m; _r++)
                    for (int _k = 0; _k < _n; _k++)
                        {{incremented}}[((size_t)_network_idx*_n_rows + _first_row + _r)*_n_columns + _first + _k]
                            += _sums[_r][_k];
            }
    }
    {% endif %}
    {% endif %}
{% endblock %}
