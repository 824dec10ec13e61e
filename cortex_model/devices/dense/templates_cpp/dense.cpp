{# What the dense templates share: a row is a presynaptic neuron, a column a postsynaptic one. #}
{% macro sizes() %}
const int _n_rows = {{constant_or_scalar('N_pre', variables['N_pre'])}};
    const int _n_columns = {{constant_or_scalar('N_post', variables['N_post'])}};
{%- endmacro %}
{% macro presynaptic() %}
const int _presynaptic_idx = _row + {{owner.source.start|default(0)}};
{%- endmacro %}
{% macro pass_over_silent() %}
{% if silent %}
if ({{silent}}) continue;
{%- endif %}
{% endmacro %}
{% macro postsynaptic() %}
const int _postsynaptic_idx = _column + {{owner.target.start|default(0)}};
            const size_t _idx = (size_t)_row*_n_columns + _column;
            const size_t _vectorisation_idx = _idx;
{%- endmacro %}
