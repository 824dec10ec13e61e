{# USES_VARIABLES { N, N_pre, N_post } #}
{# The synapses of neurons that have an event: no index is read, and nothing is added atomically. #}
{% extends 'common_group.cu' %}
{% set _space = pathway.variables[pathway.eventspace_name] %}
{% set _size = _space.size %}
{% if pathway.prepost == 'pre' %}
    {% set _own_end, _other_end, _n, _m = '_presynaptic_idx', '_postsynaptic_idx', '_n_rows', '_n_columns' %}
{% else %}
    {% set _own_end, _other_end, _n, _m = '_postsynaptic_idx', '_presynaptic_idx', '_n_columns', '_n_rows' %}
{% endif %}
{# One thread does all where synapses change what others of the same event read; one thread does all events of a neuron
   at the other end where they change that; else every synapse stands alone. #}
{% set _in_a_row = written[_own_end] or written[_other_end].intersection(read[_own_end]) %}
{% set _by_neuron = not _in_a_row and written[_other_end] %}

{% block kernel %}
// Events of this time step in the order of neurons; threads found them in any order. Their number comes last.
__global__ void _sort_{{codeobj_name}}(const int32_t* _events, int32_t* _sorted)
{
    const int _n_events = _events[{{_size - 1}}];
    const int _nth = blockIdx.x*blockDim.x + threadIdx.x;
    if (_nth > 0 && _nth >= _n_events)
        return;
    const int _event = _nth < _n_events ? _events[_nth] : -1;
    int _rank = 0, _n_due = 0;
    for (int _k = 0; _k < _n_events; _k++)
    {
        const bool _is_due = _events[_k] >= {{pathway.spikes_start}} && _events[_k] < {{pathway.spikes_stop}};
        _n_due += _is_due;
        _rank += _is_due && _events[_k] < _event;
    }
    if (_event >= {{pathway.spikes_start}} && _event < {{pathway.spikes_stop}})
        _sorted[_rank] = _event;
    if (_nth == 0)
        _sorted[{{_size - 1}}] = _n_due;
}

__global__ void
_run_kernel_{{codeobj_name}}(
    int _N,
    const int32_t* _due,
    %KERNEL_PARAMETERS%
    )
{
    using namespace brian;
    {% from 'dense.cu' import sizes with context %}

    %KERNEL_CONSTANTS%
    const int _vectorisation_idx = 0;
    {{kernel_lines|autoindent}}
    {{sizes()}}
    {{scalar_code|autoindent}}

    const int _n_due = _due[{{_size - 1}}];
    for (int _nth = {{'0' if _by_neuron else 'blockIdx.y'}}; _nth < _n_due; _nth += {{'1' if _by_neuron else 'gridDim.y'}})
    {
        const int {{_own_end}} = _due[_nth];
        const int _network_idx = ({{_own_end}} - {{pathway.spikes_start}})/{{_n}}, _presented_idx = _network_idx;
        const int _own = ({{_own_end}} - {{pathway.spikes_start}}) % {{_n}};
        {% if _by_neuron %}
        if (_network_idx != blockIdx.y)
            continue;
        {% endif %}
        for (int _other = blockIdx.x*blockDim.x + threadIdx.x; _other < {{_m}}; _other += gridDim.x*blockDim.x)
        {
            {% if pathway.prepost == 'pre' %}
            const int _postsynaptic_idx = _network_idx*_n_columns + _other + {{owner.target.start|default(0)}};
            const size_t _idx = ((size_t)_network_idx*_n_rows + _own)*_n_columns + _other;
            {% else %}
            const int _presynaptic_idx = _network_idx*_n_rows + _other + {{owner.source.start|default(0)}};
            const size_t _idx = ((size_t)_network_idx*_n_rows + _other)*_n_columns + _own;
            {% endif %}
            const size_t _vectorisation_idx = _idx;
            {{vector_code|autoindent}}
        }
    }
}
{% endblock kernel %}

{% block prepare_kernel %}
{% endblock prepare_kernel %}

{% block kernel_call %}
    {% from 'dense.cu' import sizes with context %}
    {% set _events = get_array_name(_space, access_data=False) %}
    {{sizes()}}
    // a list of events for each time step that they may still be on their way
    static int32_t* _ring = 0;
    static int _n_lists, _now = 0;
    if (!_ring)
    {
        _n_lists = 1 + (int)({{get_array_name(pathway.variables['delay'], access_data=False)}}[0]
                             /{{get_array_name(pathway.variables['_source_dt'], access_data=False)}}[0] + 0.5);
        CUDA_SAFE_CALL(cudaMalloc((void**)&_ring, sizeof(int32_t)*{{_size}}*_n_lists));
        CUDA_SAFE_CALL(cudaMemset(_ring, 0, sizeof(int32_t)*{{_size}}*_n_lists));
    }
    _sort_{{codeobj_name}}<<<{{(_size + 126)//128}}, 128>>>(
            dev{{_events}}[current_idx{{_events}}],
            _ring + (size_t)((_now + _n_lists - 1) % _n_lists)*{{_size}}
        );
    CUDA_CHECK_ERROR("_sort_{{codeobj_name}}");
    {% if _in_a_row %}
    const dim3 _blocks(1, 1), _threads(1);
    {% else %}
    const dim3 _blocks(({{_m}} + 63)/64, {{'_n_networks' if _by_neuron else 32}}), _threads(64);
    {% endif %}
    _run_kernel_{{codeobj_name}}<<<_blocks, _threads>>>(
            _N,
            _ring + (size_t)_now*{{_size}},
            %HOST_PARAMETERS%
        );
    CUDA_CHECK_ERROR("_run_kernel_{{codeobj_name}}");
    _now = (_now + 1) % _n_lists;
{% endblock kernel_call %}
