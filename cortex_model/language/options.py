"""Options of a rule, each a transformation: a rule goes in, another one comes out."""

import ast
import re
from dataclasses import replace
from functools import cache

from cortex_model.errors import RuleError
from cortex_model.language.choosing import row_of, with_nonlinearities, with_strings
from cortex_model.language.moments import Carry, Host, Learn, Pool
from cortex_model.language.nonlinearities import Nonlinearity
from cortex_model.language.parts import Number
from cortex_model.language.places import Places
from cortex_model.language.rule import Rule, evaluated
from cortex_model.language.sequence import moments_of
from cortex_model.language.statements import (
    rewritten,
)

#: How the names of factors on learning rates begin.
RELATIVE_RATE = "relative_rate_"
PER = re.compile(r"(\w+)_(pre|post)(?: of (\w+))?")


# ---------------------------------------------------------------------- projections
def without_projection(rule: Rule, name: str) -> Rule:
    """The rule without a projection: what it adds is left out of sums, and it does not learn.

    Raises
    ------
    RuleError
        If what it carries is more than a summand.
    """
    carries = (m for s in rule.phases.values() for m in moments_of(s) if isinstance(m, Carry))
    gone = frozenset(m.target for m in carries if m.projection == name)

    def change(moment):
        if getattr(moment, "projection", None) == name:
            return ()
        return (with_strings(moment, lambda text: _without_summands(text, gone)),)

    changed = rule.changed(change)
    for moment in (m for s in changed.phases.values() for m in moments_of(s)):
        for text in filter(None, (getattr(moment, part, "") for part in ("code", "towards", "change", "of"))):
            if left := gone & set(re.findall(r"\w+", text)):
                raise RuleError(
                    f"{rule.name}: what projection {name!r} carries must be a summand where it can be left out (got "
                    f"{sorted(left)[0]!r} in {text!r}); add it, or keep the projection."
                )
    return replace(changed, projections={n: p for n, p in changed.projections.items() if n != name})


@cache
def _without_summands(text, gone):
    def dropped(node):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
            if isinstance(node.right, ast.Name) and node.right.id in gone:
                return node.left
            if isinstance(node.left, ast.Name) and node.left.id in gone and isinstance(node.op, ast.Add):
                return node.right
        return node

    return rewritten(text, dropped)


def without_biases(rule: Rule) -> Rule:
    """The rule without every projection from the unit that is always 1."""
    for name in [name for name, p in rule.projections.items() if p.pre.strip() == "1"]:
        rule = without_projection(rule, name)
    return rule


def with_feedback_to_input(rule: Rule) -> Rule:
    """The rule with feedback down to the input: projections of levels ``2..L`` begin at level 1."""
    wider = {n: replace(p, levels="1..L") if p.levels == "2..L" else p for n, p in rule.projections.items()}
    if wider == dict(rule.projections):
        raise RuleError(
            f"feedback_to_input: must be asked of a rule with a projection of levels 2..L (got {rule.name}, which has "
            "none); leave it out."
        )
    return replace(rule, projections=wider)


# ---------------------------------------------------------------------- steps and gains
def with_normalisation(rule: Rule, phase: str) -> Rule:
    """The rule with the steps of a phase divided by the power of an activity: those of a `Learn` that says ``per``.

        step / |x|^2,    and / (|x|^2 + 1) where a bias learns with it: a bias counts as one more activity, of 1

    where x is that activity; where the divisor is 0 nothing changes. A `Pool` sums the power: one neuron sees it all,
    and every synapse sees what it gives.
    """
    learns = [m for m in moments_of(rule.phases.get(phase, ())) if isinstance(m, Learn) and m.per]
    biased = {_active(rule, m) for m in learns if rule.projections[m.projection].pre.strip() == "1"}
    widest, places = {}, Places(rule, 4)
    for pool in (_power(rule, learn, _active(rule, learn) in biased) for learn in learns):
        widest[pool] = max(widest.get(pool, pool), pool, key=lambda each: len(places.populations(each.where)))
    pooled: set = set()

    def change(moment):
        if not isinstance(moment, Learn):
            pooled.clear()
            return (moment,)
        if not moment.per:
            return (moment,)
        pool = widest[_power(rule, moment, _active(rule, moment) in biased)]
        own = rule.projections[moment.projection]
        seen_at = "post" if own.post.strip() == "l" else "pre"
        learn = replace(moment, step=f"{moment.step}*{pool.total.removesuffix('_power')}_reciprocal_{seen_at}")
        is_new = pool not in pooled
        pooled.add(pool)
        return (pool, learn) if is_new else (learn,)

    return rule.changed(change, (phase,))


def _active(rule, learn):
    """(number of a population, variable): the activity that a step is divided by the power of."""
    variable, end, other = PER.fullmatch(learn.per).groups()
    return getattr(rule.projections[other or learn.projection], end).strip(), variable


def _power(rule, learn, is_biased):
    """The pool of a normalised step. Population l sees it, l being the level of the projection that learns."""
    population, variable = _active(rule, learn)
    _, end, other = PER.fullmatch(learn.per).groups()
    shift = -int(evaluated(population, {"l": 0, "L": 0}))
    total = f"{variable}_power"
    power = f"({total} + 1)" if is_biased else total
    its_end, levels = f"{end} of {other or learn.projection}", learn.levels.split("&") if learn.levels else ()
    return Pool(
        " & ".join(f"{its_end} at {part.strip()}" for part in levels) or its_end,
        f"{variable}*{variable}",
        total,
        f"{variable}_reciprocal = int({power} > 0)/({power} + int({power} <= 0))",
        seen_by=f"l{shift:+d}" if shift else "l",
        name="parameter_reciprocal" if is_biased else "reciprocal_power",
    )


def with_relative_rates(rule: Rule) -> Rule:
    """The rule with a factor of its own on the learning rates of each projection at each level: 0 freezes it.

        step * relative_rate_X

    where X is the projection that learns. The factor is remembered by the postsynaptic population, so that the host
    can change it; it is 1 at the start unless parameters say otherwise.
    """
    learning = {m.projection for s in rule.phases.values() for m in moments_of(s) if isinstance(m, Learn)}

    def change(moment):
        if not isinstance(moment, Learn):
            return (moment,)
        return (replace(moment, step=f"{moment.step}*{relative_rate(moment.projection)}_post"),)

    remembered = {relative_rate(name): 1.0 for name in rule.projections if name in learning}
    return replace(rule.changed(change), remembers={**rule.remembers, **remembered})


def relative_rate(projection: str) -> str:
    """What a population remembers of the learning rate of a projection that ends in it."""
    return f"{RELATIVE_RATE}{projection}"


def with_feedback_gain(rule: Rule, gain: str) -> Rule:
    """The rule with another gain of what feedback brings.

    Parameters
    ----------
    gain : {"none", "closed_form", "norm_matched"}
        ``noise_gain`` is 1; is 1 + damping (where the rule has both); or is 1, while the host multiplies the error
        that V carries by |W|_F / |V|_F, which is not local.
    """
    row_of(dict.fromkeys(("none", "closed_form", "norm_matched")), gain, "feedback_gain")
    numbers = dict(rule.numbers)
    if "noise_gain" in numbers:
        closed = gain == "closed_form" and "damping" in numbers
        numbers["noise_gain"] = replace(numbers["noise_gain"], default="1 + damping" if closed else 1.0)
    if gain != "norm_matched":
        return replace(rule, numbers=numbers)
    if "apical_gain" not in rule.remembers:
        raise RuleError(
            f"feedback_gain: must be none or closed_form for a rule that remembers no apical_gain (got norm_matched "
            f"for {rule.name}); choose one of them."
        )
    numbers["gain_update_presentations"] = Number(
        1000, "wake presentations between two refreshments of the norm_matched gain", "presentations", at_least=1,
        whole=True,
    )  # fmt: skip
    matched = Host("V", "apical_gain = norm(W)/norm(V)", every="gain_update_presentations", name="norm_matched_gain")
    return replace(_with_host(rule, matched), numbers=numbers)


def with_perturbed_feedback(rule: Rule) -> Rule:
    """The rule with feedback weights that the host disturbs now and then: by noise, and by few levels."""
    if any(isinstance(moment, Host) for moment in moments_of(rule.phases["wake"])):
        raise RuleError(
            f"feedback_noise and feedback_levels: must be 0 where the host already intervenes in wake (got {rule.name} "
            "with another intervention); choose another feedback_gain or rule."
        )
    numbers = {
        "feedback_noise": Number(0.0, "V is perturbed: deviation of gaussian noise, in units of W's", at_least=0),
        "feedback_levels": Number(0, "V is perturbed: rounded to so many levels; 0: it is not", at_least=0, whole=True),
        "perturb_every_presentations": Number(
            1000, "wake presentations between two perturbations of V", "presentations", at_least=1, whole=True
        ),
    }
    code = "V = perturbed(V, normal(V), feedback_noise*std(W), feedback_levels)"
    host = Host("V", code, every="perturb_every_presentations", name="perturbed_feedback")
    return replace(
        _with_host(rule, host),
        numbers={**rule.numbers, **numbers},
        requires={**rule.requires, "feedback_levels != 1": "because with one level every weight would be 0"},
    )


def _with_host(rule: Rule, host: Host) -> Rule:
    """The rule with something that the host does before presentations of wake."""
    timed = {name: (host, *moments) if name == "wake" else moments for name, moments in rule.timed.items()}
    return replace(rule, phases={**rule.phases, "wake": (host, *rule.phases["wake"])}, timed=timed)


def configured(
    rule: Rule,
    *,
    nonlinearity: str | Nonlinearity = "tanh",
    top: str = "softmax",
    slope_rule: str = "derivative",
    biases: bool = True,
    feedback_to_input: bool = False,
    presynaptic_normalisation: bool = False,
    sleep_normalisation: bool = False,
    feedback_gain: str = "closed_form",
    relative_rates: bool = False,
) -> Rule:
    """The rule, in its default form unless another was taken, with all options at once; see the functions above."""
    rule = rule.form()
    if not biases:
        rule = without_biases(rule)
    if feedback_to_input:
        rule = with_feedback_to_input(rule)
    for phase, is_normalised in (("wake", presynaptic_normalisation), ("sleep", sleep_normalisation)):
        if is_normalised and phase in rule.phases:
            rule = with_normalisation(rule, phase)
    if relative_rates:
        rule = with_relative_rates(rule)
    return with_nonlinearities(with_feedback_gain(rule, feedback_gain), nonlinearity, top, slope_rule)
