{# USES_VARIABLES { N } #}
{% extends 'common_group.cpp' %}
{% block maincode %}
    {# Spikes are rare: the condition is evaluated for a block of neurons at once (which the compiler can vectorise), and the
       block is looked through only if any of them spiked. #}
    {% set _eventspace = get_array_name(eventspace_variable) %}
    const int _vectorisation_idx = -1;
    {{scalar_code|autoindent}}
    const size_t _block = 64;
    char _hit[_block];
    int32_t _count = 0;
    size_t _first = 0;
    for (; _first + _block <= (size_t)N; _first += _block)
    {
        char _any = 0;
        for (size_t _k = 0; _k < _block; _k++)
        {
            const size_t _idx = _first + _k;
            const size_t _vectorisation_idx = _idx;
            {{vector_code|autoindent}}
            _hit[_k] = _cond;
            _any |= (char)_cond;
        }
        if (!_any)
            continue;
        for (size_t _k = 0; _k < _block; _k++)
        {
            if (!_hit[_k])
                continue;
            const size_t _idx = _first + _k;
            {{_eventspace}}[_count++] = (int32_t)_idx;
            {% if _uses_refractory %}
            {{not_refractory}}[_idx] = false;
            {{lastspike}}[_idx] = {{t}};
            {% endif %}
        }
    }
    for (size_t _idx = _first; _idx < (size_t)N; _idx++)
    {
        const size_t _vectorisation_idx = _idx;
        {{vector_code|autoindent}}
        if (_cond)
        {
            {{_eventspace}}[_count++] = (int32_t)_idx;
            {% if _uses_refractory %}
            {{not_refractory}}[_idx] = false;
            {{lastspike}}[_idx] = {{t}};
            {% endif %}
        }
    }
    {{_eventspace}}[N] = _count;
{% endblock %}
