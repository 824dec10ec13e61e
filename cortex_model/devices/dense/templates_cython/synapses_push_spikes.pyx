{# USES_VARIABLES { _events } #}
{% extends 'common_group.pyx' %}

{% block before_code %}
    _events.prepare()
{% endblock %}

{% block maincode %}
    _events.push()
{% endblock %}
