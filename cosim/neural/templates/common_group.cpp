{# One code object: a namespace with its support code and a function run(). Arrays are found in the context, by number. #}
{% macro before_run_cpp_file() %}{% endmacro %}
{% macro after_run_cpp_file() %}{% endmacro %}
{# for code that is put together from several code objects (generate.py) #}
{% macro pointers() %}
{{pointers_lines|autoindent}}
{% endmacro %}
{% macro scalars() %}
{{scalar_code|autoindent}}
{% endmacro %}
{% macro statements() %}
{{vector_code|autoindent}}
{% endmacro %}
{% macro cpp_file() %}
namespace {{codeobj_name}}
{
{{support_code_lines|autoindent}}

{{hashdefine_lines|autoindent}}

{% block function %}
__attribute__((noinline)) static void run(cosim::Context &_context)
{
    %CONSTANTS%
    {{pointers_lines|autoindent}}
    {% block maincode %}
    {% endblock %}
}
{% endblock %}
}
{% endmacro %}
