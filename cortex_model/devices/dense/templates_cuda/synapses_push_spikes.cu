{# USES_VARIABLES { N } #}
{# Events are taken from where they are when they are due: nothing is pushed, and there is no queue to prepare. #}
{% extends 'common_group.cu' %}

{% block kernel %}
{% endblock kernel %}

{% block prepare_kernel %}
{% endblock prepare_kernel %}

{% block kernel_call %}
{% endblock kernel_call %}
