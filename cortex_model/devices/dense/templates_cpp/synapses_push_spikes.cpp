{# Events are taken from where they are when they are due: nothing is pushed. #}
{% extends 'common_group.cpp' %}

{% block maincode %}
{% endblock %}
