{# USES_VARIABLES { N, N_pre, N_post } #}
{# Sums in an order that the number of terms alone decides: the same bits on every run, nothing is added atomically. #}
{% extends 'common_group.cu' %}
{% set _to_post = _index_var.name == '_synaptic_post' %}
{% set _number = c_data_type(_target_var.dtype) %}
{% set _n_shown = owner.networks*owner.batch %}
{# Sums that a block forms side by side, and presentations for which it does so: each reads a weight once. #}
{% set _width = 8 if not _to_post else 1 if owner.target.N == _n_shown else 16 %}
{% set _depth = [owner.batch, 8]|min %}

{% block kernel %}
__global__ void __launch_bounds__({{32*_width}})
_run_kernel_{{codeobj_name}}(
    int _N,
    int THREADS_PER_BLOCK,
    %KERNEL_PARAMETERS%
    )
{
    using namespace brian;
    {% from 'dense.cu' import sizes, ends with context %}

    %KERNEL_CONSTANTS%
    const int _vectorisation_idx = 0;
    {{kernel_lines|autoindent}}
    {{sizes()}}
    {{scalar_code|autoindent}}

    const int _n_tiles = ({{'_n_columns' if _to_post else '_n_rows'}} + {{_width - 1}})/{{_width}};
    const int _network_idx = blockIdx.x/_n_tiles;
    const int _first = blockIdx.x % _n_tiles*{{_width}};
    {{_number}} _sums[{{_depth}}] = {0};
    {% if _to_post %}
    const int _column = _first + threadIdx.x;
    if (_column < _n_columns)
        #pragma unroll 4
        for (int _row = threadIdx.y; _row < _n_rows; _row += 32)
    {% else %}
    const int _row = _first + threadIdx.y;
    if (_row < _n_rows)
        #pragma unroll 4
        for (int _column = threadIdx.x; _column < _n_columns; _column += 32)
    {% endif %}
            #pragma unroll
            for (int _b = 0; _b < {{_depth}}; _b++)
            {
                // the last presentation stands in where a block has less than {{_depth}}
                const int _presented_idx = _network_idx*_n_presentations
                                           + min((int)blockIdx.y*{{_depth}} + _b, _n_presentations - 1);
                {{ends()}}
                const size_t _idx = ((size_t)_network_idx*_n_rows + _row)*_n_columns + _column;
                const size_t _vectorisation_idx = _idx;
                {{vector_code|autoindent}}
                _sums[_b] += _synaptic_var;
            }
    {% if _to_post %}
    __shared__ {{_number}} _parts[32][{{_width + 1}}];
    {% endif %}
    for (int _b = 0; _b < {{_depth}}; _b++)
    {
        const int _presentation = blockIdx.y*{{_depth}} + _b;
        const int _presented_idx = _network_idx*_n_presentations + _presentation;
        {% if _to_post %}
        _parts[threadIdx.y][threadIdx.x] = _sums[_b];
        __syncthreads();
        for (int _half = 16; _half > 0; _half /= 2)
        {
            if (threadIdx.y < _half)
                _parts[threadIdx.y][threadIdx.x] += _parts[threadIdx.y + _half][threadIdx.x];
            __syncthreads();
        }
        if (threadIdx.y == 0 && _column < _n_columns && _presentation < _n_presentations)
            {{get_array_name(_target_var)}}[_presented_idx*_n_columns + _column + {{_target_start}}] = _parts[0][threadIdx.x];
        {% else %}
        {{_number}} _sum = _sums[_b];
        for (int _half = 16; _half > 0; _half /= 2)
            _sum += __shfl_down_sync(0xffffffffu, _sum, _half);
        if (threadIdx.x == 0 && _row < _n_rows && _presentation < _n_presentations)
            {{get_array_name(_target_var)}}[_presented_idx*_n_rows + _row + {{_target_start}}] = _sum;
        {% endif %}
    }
}
{% endblock kernel %}

{% block prepare_kernel %}
{% endblock prepare_kernel %}

{% block kernel_call %}
    {% from 'dense.cu' import sizes with context %}
    {{sizes()}}
    const int _n_tiles = ({{'_n_columns' if _to_post else '_n_rows'}} + {{_width - 1}})/{{_width}};
    const dim3 _blocks(_n_networks*_n_tiles, (_n_presentations + {{_depth - 1}})/{{_depth}});
    _run_kernel_{{codeobj_name}}<<<_blocks, dim3({{'%d, 32' % _width if _to_post else '32, %d' % _width}})>>>(
            _N,
            {{32*_width}},
            %HOST_PARAMETERS%
        );
    CUDA_CHECK_ERROR("_run_kernel_{{codeobj_name}}");
{% endblock kernel_call %}
