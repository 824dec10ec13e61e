{# USES_VARIABLES { N_pre, N_post } #}
{# Sums in an order that the sizes alone decide: the same bits on every run. #}
{% extends 'common_group.cpp' %}

{% block maincode %}
    {% from 'dense.cpp' import sizes, presynaptic, synapse, width with context %}
    {% set target = get_array_name(_target_var) %}
    {% set number = c_data_type(_target_var.dtype) %}
    {{sizes()}}
    const size_t _vectorisation_idx = -1;
    {{scalar_code|autoindent}}

    {% if _index_var.name != '_synaptic_post' %}
    {% if deferred %}
    _do_deferred_{{deferred}}();
    {% endif %}
    // along each row, in 16 sums of their own: one alone would wait for itself
    for (int _presented_idx = 0; _presented_idx < _n_networks*_n_presentations; _presented_idx++)
    {
        const int _network_idx = _presented_idx/_n_presentations;
        {{openmp_pragma('parallel-static')}}
        for (int _row = 0; _row < _n_rows; _row++)
        {
            {{presynaptic()|autoindent}}
            {{number}} _sums[16] = {0};
            int _first = 0;
            for (; _first + 16 <= _n_columns; _first += 16)
                for (int _k = 0; _k < 16; _k++)
                {
                    const int _column = _first + _k;
                    {{synapse()|autoindent}}
                    _sums[_k] += _synaptic_var;
                }
            for (int _column = _first; _column < _n_columns; _column++)
            {
                {{synapse()|autoindent}}
                _sums[0] += _synaptic_var;
            }
            {{number}} _total = 0;
            for (int _k = 0; _k < 16; _k++)
                _total += _sums[_k];
            {{target}}[_presented_idx*_n_rows + _row + {{_target_start}}] = _total;
        }
    }
    {% elif (owner.batch|default(1)) > 1 %}
    // tiles of presentations and columns whose sums stay in the processor's registers while rows pass, and blocks of
    // rows that stay in its cache while the presentations pass
    const int _tile_rows = 256, _tile_presentations = 8, _tile_columns = {{width(_target_var.dtype)}};
    for (int _network_idx = 0; _network_idx < _n_networks; _network_idx++)
    for (int _first_row = 0; _first_row < _n_rows; _first_row += _tile_rows)
    {
        const int _end = _n_rows - _first_row < _tile_rows ? _n_rows : _first_row + _tile_rows;
        for (int _first = 0; _first < _n_columns; _first += _tile_columns)
            for (int _first_b = 0; _first_b < _n_presentations; _first_b += _tile_presentations)
            {
                {{number}} _sums[_tile_presentations][_tile_columns] = {};
                const int _left = _n_presentations - _first_b;
                const int _m = _left < _tile_presentations ? _left : _tile_presentations;
                const int _n = _n_columns - _first < _tile_columns ? _n_columns - _first : _tile_columns;
                const int _first_presented = _network_idx*_n_presentations + _first_b;
                {% for is_whole in (True, False) %}
                {{'if (__builtin_expect(_m == _tile_presentations && _n == _tile_columns, 1))' if is_whole else 'else'}}
                    for (int _row = _first_row; _row < _end; _row++)
                        #pragma GCC unroll 8
                        for (int _b = 0; _b < {{'_tile_presentations' if is_whole else '_m'}}; _b++)
                        {
                            const int _presented_idx = _first_presented + _b;
                            {{presynaptic()|autoindent}}
                            for (int _k = 0; _k < {{'_tile_columns' if is_whole else '_n'}}; _k++)
                            {
                                const int _column = _first + _k;
                                {{synapse()|autoindent}}
                                _sums[_b][_k] += _synaptic_var;
                            }
                        }
                {% endfor %}
                for (int _b = 0; _b < _m; _b++)
                    for (int _k = 0; _k < _n; _k++)
                    {
                        {{number}}& _sum = {{target}}[(_first_presented + _b)*_n_columns + _first + _k + {{_target_start}}];
                        _sum = _first_row ? _sum + _sums[_b][_k] : _sums[_b][_k];
                    }
            }
    }
    {% else %}
    {% if deferred %}
    const _Change _change = _deferred_{{deferred}}();
    _deferred_{{deferred}}() = 0;
    {% endif %}
    // blocks of 32 rows and 128 columns, whose sums stay in the processor's registers, in the order of memory
    for (int _network_idx = 0; _network_idx < _n_networks; _network_idx++)
    {
        const int _presented_idx = _network_idx;
        {{number}}* const _total = {{target}} + (_presented_idx*_n_columns + {{_target_start}});
        for (int _column = 0; _column < _n_columns; _column++)
            _total[_column] = 0;
        for (int _first_row = 0; _first_row < _n_rows; _first_row += 32)
        {
            const int _end = _n_rows - _first_row < 32 ? _n_rows : _first_row + 32;
            {{openmp_pragma('parallel-static')}}
            for (int _first = 0; _first < _n_columns; _first += 128)
            {
                const int _n = _n_columns - _first < 128 ? _n_columns - _first : 128;
                {{number}} _sums[128];
                {% if deferred %}
                if (_change) _change(_network_idx, _first_row, _end, _first, _first + _n);
                {% endif %}
                {% for is_whole in (True, False) %}
                {{'if (__builtin_expect(_n == 128, 1))' if is_whole else 'else'}}
                {
                    {% set n = '128' if is_whole else '_n' %}
                    for (int _k = 0; _k < {{n}}; _k++)
                        _sums[_k] = _total[_first + _k];
                    for (int _row = _first_row; _row < _end; _row++)
                    {
                        {{presynaptic(may_pass_over=True)|autoindent}}
                        for (int _k = 0; _k < {{n}}; _k++)
                        {
                            const int _column = _first + _k;
                            {{synapse()|autoindent}}
                            _sums[_k] += _synaptic_var;
                        }
                    }
                    for (int _k = 0; _k < {{n}}; _k++)
                        _total[_first + _k] = _sums[_k];
                }
                {% endfor %}
            }
        }
    }
    {% endif %}
{% endblock %}
