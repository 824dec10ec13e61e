"""A rule is a page: one file, found by being there, that says what it is, what is local and where it comes from."""

import importlib
import pkgutil
import re

import pytest

from cortex_model import rules
from cortex_model.language import Host, PlacedRule
from cortex_model.language.options import configured
from cortex_model.language.sequence import moments_of

MODULES = {
    info.name: importlib.import_module(f"{rules.__name__}.{info.name}") for info in pkgutil.iter_modules(rules.__path__)
}
PAGES = {name: module for name, module in MODULES.items() if hasattr(module, "RULE")}


def test_a_file_is_all_that_a_rule_needs():
    assert {name: module.RULE for name, module in PAGES.items()} == rules.shipped()
    assert set(MODULES) - set(PAGES) == {"hierarchy", "own", "spikes"}, "what rules share, and rules from files"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_says_what_a_reader_must_know(name):
    page = PAGES[name].__doc__
    assert re.search(r"^    .*=", page, re.MULTILINE), "an equation"
    assert re.search(r"\bwhere\b", page), "what its letters mean"
    assert "Source:" in page and re.search(r"(19|20)\d\d", page), "where it comes from"
    assert re.search(r"\blocal\b|letters", page), "what is local, or where that is said"
    assert PAGES[name].RULE.paper


@pytest.mark.parametrize("name", PAGES)
def test_what_is_not_local_is_a_host_step(name):
    """Everything else is of two neurons, or of one population that a neuron pools."""
    hosts = [m for moments in PAGES[name].RULE.phases.values() for m in moments_of(moments) if isinstance(m, Host)]
    assert bool(hosts) == (name == "exact_pseudoinverse")


@pytest.mark.parametrize("name", PAGES)
def test_numbers_say_what_they_are(name):
    for number in PAGES[name].RULE.numbers.values():
        assert len(number.meaning) > 10 and number.range.startswith(("a number", "a whole number")), number
    assert PlacedRule(configured(PAGES[name].RULE), (3, 3)).events
