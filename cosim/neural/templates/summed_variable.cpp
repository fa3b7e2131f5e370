{# USES_VARIABLES { N } #}
{% extends 'common_group.cpp' %}
{% block maincode %}
    {% set _target_var_array = get_array_name(_target_var) %}
    {% set _index_array = get_array_name(_index_var) %}
    if (!{{N}})
        return;
    const uint8_t *_intact = _context.intact[COSIM_OBJECT_{{owner.name}}];
    const int _target_size = {{constant_or_scalar(_target_size_name, variables[_target_size_name])}};
    for (int _target_idx = 0; _target_idx < _target_size; _target_idx++)
        {{_target_var_array}}[_target_idx + {{_target_start}}] = 0;
    const size_t _vectorisation_idx = -1;
    {{scalar_code|autoindent}}
    for (int _idx = 0; _idx < {{N}}; _idx++)
    {
        if (_intact && !_intact[_idx])
            continue;
        const size_t _vectorisation_idx = _idx;
        {{vector_code|autoindent}}
        {{_target_var_array}}[{{_index_array}}[_idx]] += _synaptic_var;
    }
{% endblock %}
