{# USES_VARIABLES { N_pre, N_post } #}
{# The synapses of a neuron that has an event, one after the other: no index is read. #}
{% extends 'common_group.cpp' %}

{% block maincode %}
    {% from 'dense.cpp' import sizes with context %}
    {% set eventspace = pathway.variables[pathway.eventspace_name] %}
    {{sizes()}}
    const size_t _vectorisation_idx = -1;
    {{scalar_code|autoindent}}

    // a list of events for each time step that they may still be on their way
    static std::vector<std::vector<int32_t> > _ring;
    static size_t _now = 0;
    if (_ring.empty())
        _ring.resize(1 + (int)({{get_array_name(pathway.variables['delay'], access_data=False)}}[0]
                               /{{get_array_name(pathway.variables['_source_dt'], access_data=False)}}[0] + 0.5));
    const int32_t* const _events = {{get_array_name(eventspace, access_data=False)}};
    _ring[(_now + _ring.size() - 1) % _ring.size()].assign(_events, _events + _events[{{eventspace.size - 1}}]);
    const std::vector<int32_t>& _due = _ring[_now];
    _now = (_now + 1) % _ring.size();

    for (size_t _nth = 0; _nth < _due.size(); _nth++)
    {
        const int _event = _due[_nth];
        if (_event < {{pathway.spikes_start}} || _event >= {{pathway.spikes_stop}})
            continue;
        {% set n, m = ('_n_rows', '_n_columns') if pathway.prepost == 'pre' else ('_n_columns', '_n_rows') %}
        const int _network_idx = (_event - {{pathway.spikes_start}})/{{n}};
        const int _presented_idx = _network_idx, _own = (_event - {{pathway.spikes_start}}) % {{n}};
        {% if pathway.prepost == 'pre' %}
        const int _row = _own, _presynaptic_idx = _event;
        const size_t _first = ((size_t)_network_idx*_n_rows + _row)*_n_columns;
        {% else %}
        const int _column = _own, _postsynaptic_idx = _event;
        {% endif %}
        for (int _other = 0; _other < {{m}}; _other++)
        {
            {% if pathway.prepost == 'pre' %}
            const int _postsynaptic_idx = _network_idx*_n_columns + _other + {{owner.target.start|default(0)}};
            const size_t _idx = _first + _other;
            {% else %}
            const int _presynaptic_idx = _network_idx*_n_rows + _other + {{owner.source.start|default(0)}};
            const size_t _idx = ((size_t)_network_idx*_n_rows + _other)*_n_columns + _column;
            {% endif %}
            const size_t _vectorisation_idx = _idx;
            {{vector_code|autoindent}}
        }
    }
{% endblock %}
