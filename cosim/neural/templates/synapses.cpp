{% extends 'common_group.cpp' %}
{% macro _prefetch(run) %}
{# The next rows are elsewhere in memory: ask for the beginning of each array that is read along a row. #}
{% for name, array in row_arrays(variables, variable_indices) %}
            cosim::prefetch({{array}}, {{run}});
{% endfor %}
{% endmacro %}
{% macro _deliver(switched) %}
    for (size_t _run = 0; _run < _runs; _run++)
    {
        {% if pathway.prepost == 'pre' %}
        if (_run + cosim::ahead < _runs)
        {
            const cosim::Run _next = _slot[_run + cosim::ahead];
{{_prefetch('_next')}}
        }
        {% endif %}
        const int32_t _end = _slot[_run].end;
        for (int32_t _entry = _slot[_run].begin; _entry < _end; _entry++)
        {
            {% if pathway.prepost == 'pre' %}
            const size_t _idx = _entry;
            {% else %}
            const size_t _idx = _order[_entry];
            {% endif %}
            {% if switched %}
            if (!_intact[_idx])
                continue;
            {% endif %}
            const size_t _vectorisation_idx = _idx;
            {{vector_code|autoindent}}
        }
    }
{% endmacro %}
{% block maincode %}
    cosim::Queue &_queue = _context.queues[COSIM_QUEUE_{{pathway.name}}];
    std::vector<cosim::Run> &_slot = _queue.due();
    const size_t _runs = _slot.size();
    const size_t _vectorisation_idx = -1;
    {{scalar_code|autoindent}}
    const uint8_t *_intact = _context.intact[COSIM_OBJECT_{{pathway.synapses.name}}];
    {% if pathway.prepost != 'pre' %}
    const int32_t *_order = _queue.order;
    {% endif %}
    if (!_intact)
    {
{{_deliver(false)}}
    }
    else
    {
{{_deliver(true)}}
    }
    _queue.advance();
{% endblock %}
