{# USES_VARIABLES { _events } #}
{# Events are taken from where they are when they are due: nothing is pushed. #}
{% extends 'common_group.pyx' %}

{% block before_code %}
    _events.prepare()
{% endblock %}

{% block maincode %}
{% endblock %}
