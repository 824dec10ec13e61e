{# USES_VARIABLES { N, N_pre, N_post, N_incoming, N_outgoing, _source_offset, _target_offset } #}
{# All pairs: how many there are is all there is to say; the index arrays stay empty. #}
{% extends 'common_group.cpp' %}

{% block maincode %}
    {% from 'dense.cpp' import sizes with context %}
    {{sizes()}}
    const size_t _n_synapses = (size_t)_n_networks*_n_rows*_n_columns;
    {{_dynamic_N_outgoing}}.assign(_source_offset, 0);
    {{_dynamic_N_outgoing}}.resize(_source_offset + _n_networks*_n_presentations*_n_rows, _n_columns);
    {{_dynamic_N_incoming}}.assign(_target_offset, 0);
    {{_dynamic_N_incoming}}.resize(_target_offset + _n_networks*_n_presentations*_n_columns, _n_rows);
    {% for variable in owner._registered_variables | rejectattr('read_only') | variables_to_array_names(access_data=False) | sort %}
    {{variable}}.resize(_n_synapses);
    {% endfor %}
    {{get_array_name(variables['N'])}}[0] = _n_synapses;
{% endblock %}
