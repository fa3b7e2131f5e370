{# USES_VARIABLES { N } #}
{% extends 'common_group.cpp' %}
{% block function %}
{% set _eventspace = get_array_name(eventspace_variable) %}
{# The spikes of neurons [_begin, _end) are put behind the first `_count`; gives how many there are then. Spikes are rare: the
   condition is evaluated for some neighbours at once (which the compiler can vectorise), as if all of them could spike, and
   these are looked through only if it holds for any. #}
COSIM_NOINLINE static int32_t find(cosim::Context &_context, size_t _begin, size_t _end, int32_t _count)
{
    %CONSTANTS%
    {{pointers_lines|autoindent}}
    const size_t _vectorisation_idx = -1;
    {{scalar_code|autoindent}}
    for (size_t _first = _begin; _first < _end; _first += cosim::few)
    {
        const size_t _last = std::min(_first + cosim::few, _end);
        int64_t _any = 0;
        for (size_t _idx = _first; _idx < _last; _idx++)
        {
            constexpr bool _unhindered = true;
            const size_t _vectorisation_idx = _idx;
            {{vector_code|autoindent}}
            _any |= -(int64_t)_cond;
        }
        if (!_any)
            continue;
        char _hit[cosim::few];
        for (size_t _idx = _first; _idx < _last; _idx++)
        {
            constexpr bool _unhindered = false;
            const size_t _vectorisation_idx = _idx;
            {{vector_code|autoindent}}
            _hit[_idx - _first] = _cond;
        }
        cosim::each_other(_hit, 0, _last - _first, 0, [&](size_t _k) {
            {{_eventspace}}[_count++] = (int32_t)(_first + _k);
            {% if _uses_refractory %}
            {{not_refractory}}[_first + _k] = false;
            {{lastspike}}[_first + _k] = {{t}};
            {% endif %}
        });
    }
    return _count;
}

static void found(cosim::Context &_context, int32_t _count)
{
    %CONSTANTS%
    {{pointers_lines|autoindent}}
    {{_eventspace}}[N] = _count;
}

static void run(cosim::Context &_context)
{
    %CONSTANTS%
    found(_context, find(_context, 0, N, 0));
}
{% endblock %}
