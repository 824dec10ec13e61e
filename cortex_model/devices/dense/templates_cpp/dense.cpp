{# What the dense templates share: a row is a presynaptic neuron, a column a postsynaptic one. #}
{% macro sizes() %}
const int _n_networks = {{owner.networks|default(1)}};
    const int _n_presentations = {{owner.batch|default(1)}};  // of each network, at once
    const int _n_rows = {{constant_or_scalar('N_pre', variables['N_pre'])}}/(_n_networks*_n_presentations);
    const int _n_columns = {{constant_or_scalar('N_post', variables['N_post'])}}/(_n_networks*_n_presentations);
{%- endmacro %}
{# A row's presynaptic neuron and all that is read of it; a row that changes nothing may be passed over. #}
{% macro presynaptic(may_pass_over=False) %}
const int _presynaptic_idx = _presented_idx*_n_rows + _row + {{owner.source.start|default(0)}};
{% if silent and may_pass_over %}
if ({{silent}}) continue;
{% endif %}
{{row_code|join('\n')}}
{%- endmacro %}
{# What is done at each column of a loop whose length should be known: the compiler then does several at once. #}
{% macro synapse() %}
const int _postsynaptic_idx = _presented_idx*_n_columns + _column + {{owner.target.start|default(0)}};
const size_t _idx = ((size_t)_network_idx*_n_rows + _row)*_n_columns + _column;
const size_t _vectorisation_idx = _idx;
{{vector_code|join('\n')}}
{%- endmacro %}
{# Numbers in the 128 bytes that a tile is wide. #}
{% macro width(dtype) %}
{{'32' if c_data_type(dtype) == 'float' else '16'}}
{%- endmacro %}
{# All changes of one network, from _first_row and _first_column up to the ends. #}
{% macro change() %}
const int _presented_idx = _network_idx;
for (int _row = _first_row; _row < _end_row; _row++)
{
    {{presynaptic(may_pass_over=True)}}
    int _first = _first_column;
    for (; _first + 64 <= _end_column; _first += 64)
        #pragma GCC ivdep
        for (int _column = _first; _column < _first + 64; _column++)
        {
            {{synapse()}}
        }
    #pragma GCC ivdep
    for (int _column = _first; _column < _end_column; _column++)
    {
        {{synapse()}}
    }
}
{%- endmacro %}
