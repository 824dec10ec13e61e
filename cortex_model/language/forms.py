"""What is wrong with the forms of a rule, with what it does where things take time, and with its task."""

from collections.abc import Iterator

from cortex_model.language.names import refusal
from cortex_model.language.rule import Choice, Rule

TASKS = ("targets", "stimuli", "sequences")
#: What a run has besides parameters; a gathered sweep has dimensions of these names.
OF_RUNS = ("seed", "device", "look", "run")


def of_forms(rule: Rule) -> Iterator[str]:
    """Sentences; none where each choice is one, and each of its forms a rule of another name."""
    if rule.task not in TASKS:
        yield f"{rule.name}.task: must be one of {', '.join(TASKS)} (got {rule.task!r}); choose one of them."
    for phase in sorted(set(rule.timed) - set(rule.phases)):
        yield f"{rule.name}.timed: must be of phases that the rule has (got {phase!r}); add it to phases too."
    if len(rule.choices) > 1:
        yield f"{rule.name}.choices: must hold at most one Choice (got {', '.join(rule.choices)}); join them into one."
    for name, choice in rule.choices.items():
        taken = "a number of the rule" if name in rule.numbers else "what runs are told apart by" * (name in OF_RUNS)
        if reason := refusal(name) or taken:
            yield f"{rule.name}.choices: must have names of their own (got {name!r}: {reason}); choose another one."
        if not isinstance(choice, Choice) or not isinstance(choice.others, dict):
            yield f"{rule.name}.{name}: must be Choice(meaning, word, {{word: Rule}}) (got {choice!r:.60}); write one."
            continue
        yield from _of_words(rule, name, choice)


def _of_words(rule, name, choice):
    if not str(choice.meaning).strip():
        yield f"{rule.name}.{name}: must say what it means (got {choice.meaning!r}); write its meaning."
    if wrong := [word for word in choice.words if not isinstance(word, str) or not word.strip()]:
        yield f"{rule.name}.{name}: words must be texts (got {wrong[0]!r}); write one."
    if choice.default in choice.others:
        yield f"{rule.name}.{name}: must name each form once (got {choice.default!r} twice); leave one out."
    names = [rule.name]
    for word, form in choice.others.items():
        if not isinstance(form, Rule) or form.choices:
            yield f"{rule.name}.{name}: {word!r} must be a Rule without choices (got {form!r:.60}); write one."
        elif form.name in names:
            yield f"{rule.name}.{name}: {word!r} must be a rule of another name (got {form.name!r} twice); rename it."
        names.append(getattr(form, "name", ""))
