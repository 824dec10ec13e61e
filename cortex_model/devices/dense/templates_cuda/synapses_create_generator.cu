{# USES_VARIABLES { N, N_pre, N_post, N_incoming, N_outgoing, _source_offset, _target_offset } #}
{# All pairs: how many there are is all there is to say; the index arrays stay empty, on host and device. #}
{% extends 'common_group.cu' %}

{% block kernel %}
{% endblock kernel %}

{% block prepare_kernel %}
{% endblock prepare_kernel %}

{% block kernel_call %}
{% endblock kernel_call %}

{% block host_maincode %}
    {% from 'dense.cu' import sizes with context %}
    {{pointers_lines|autoindent}}
    {{sizes()}}
    const size_t _n_synapses = (size_t)_n_networks*_n_rows*_n_columns;
    {{_dynamic_N_outgoing}}.assign(_source_offset, 0);
    {{_dynamic_N_outgoing}}.resize(_source_offset + _n_networks*_n_presentations*_n_rows, _n_columns);
    {{_dynamic_N_incoming}}.assign(_target_offset, 0);
    {{_dynamic_N_incoming}}.resize(_target_offset + _n_networks*_n_presentations*_n_columns, _n_rows);
    dev{{_dynamic_N_outgoing}} = {{_dynamic_N_outgoing}};
    dev{{_dynamic_N_incoming}} = {{_dynamic_N_incoming}};
    {% for variable in owner._registered_variables | rejectattr('read_only') | variables_to_array_names(access_data=False) | sort %}
    {{variable}}.resize(_n_synapses);
    THRUST_CHECK_ERROR(dev{{variable}}.resize(_n_synapses));
    {% endfor %}
    {% set n = get_array_name(variables['N'], access_data=False) %}
    {{n}}[0] = _n_synapses;
    CUDA_SAFE_CALL(cudaMemcpy(dev{{n}}, {{n}}, sizeof({{n}}[0]), cudaMemcpyHostToDevice));
{% endblock host_maincode %}
