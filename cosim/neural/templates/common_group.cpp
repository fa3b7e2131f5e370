{# One code object: a namespace with its support code and a function run(). Arrays are found in the context, by number. #}
{% macro before_run_cpp_file() %}{% endmacro %}
{% macro after_run_cpp_file() %}{% endmacro %}
{% macro cpp_file() %}
namespace {{codeobj_name}}
{
{{support_code_lines|autoindent}}

{{hashdefine_lines|autoindent}}

__attribute__((noinline)) static void run(cosim::Context &_context)
{
    %CONSTANTS%
    {{pointers_lines|autoindent}}
    {% block maincode %}
    {% endblock %}
}
}
{% endmacro %}
