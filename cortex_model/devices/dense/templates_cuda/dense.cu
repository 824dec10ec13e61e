{# What the dense templates share: a row is a presynaptic neuron, a column a postsynaptic one. #}
{% macro sizes() %}
const int _n_networks = {{owner.networks}};
    const int _n_presentations = {{owner.batch}};  // of each network, at once
    const int _n_rows = {{constant_or_scalar('N_pre', variables['N_pre'])}}/(_n_networks*_n_presentations);
    const int _n_columns = {{constant_or_scalar('N_post', variables['N_post'])}}/(_n_networks*_n_presentations);
{%- endmacro %}
{% macro ends() %}
const int _presynaptic_idx = _presented_idx*_n_rows + _row + {{owner.source.start|default(0)}};
            const int _postsynaptic_idx = _presented_idx*_n_columns + _column + {{owner.target.start|default(0)}};
{%- endmacro %}
