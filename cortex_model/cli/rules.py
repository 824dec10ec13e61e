"""The command that looks at a learning rule of one's own."""

from typing import Annotated

import typer
from rich.table import Table

from cortex_model.cli.app import Sets, app
from cortex_model.cli.printing import out, overrides, print_rows
from cortex_model.errors import ParameterError, in_short


@app.command()
def check(
    learning_rule: Annotated[str, typer.Argument(metavar="RULE", help="A file that defines RULE, or a rule's name.")],
    sets: Sets = None,
) -> None:
    """Look at a learning rule: is it sound, does Brian2 do what it declares, and what happens in it, line by line."""
    from cortex_model.experiments.checking import check_rule, followed, parameters_for
    from cortex_model.rules import rule_named

    given = overrides(sets)
    for name in ("learning_rule", "dynamics"):
        if name in given:
            raise ParameterError(
                f"--set: {name} must be left out, for RULE says which rule, and all dynamics are looked at (got "
                f"{in_short(given[name])}); leave it out."
            )
    p = parameters_for(learning_rule, **given)
    in_spikes = rule_named(p.learning_rule).in_spikes
    p.check_asked({*given} - {*(in_spikes.numbers if in_spikes else ())})
    print_numbers("number", p)
    if in_spikes:
        print_numbers("number in spikes", parameters_for(learning_rule, "spiking", **given))
    for phase, lines in followed(p).items():
        table = Table("", f"{phase}: what happens", "at level", "slot", "the paper", box=None)
        for line in lines:
            text = line.moment.replace("\n", "; ")
            table.add_row(str(line.number), text, ", ".join(map(str, line.levels)), str(line.slot), line.paper)
        out.print()
        out.print(table)
    out.print()
    failed = False
    for checked in check_rule(learning_rule, **given):
        failed |= not checked.holds
        out.print(f"{checked.claim}: {checked.verdict}; {checked.said}", soft_wrap=True, markup=False)
    if failed:
        raise typer.Exit(1)


def print_numbers(heading, p):
    """A table of the numbers of a rule, as its parameters have them."""
    numbers = {**p.rule.dynamics.numbers, **p.rule.numbers}
    print_rows([{heading: name, "value": f"{p.rule_values[name]:g}", "range": number.range, "meaning": number.meaning}
                for name, number in numbers.items()])  # fmt: skip
