"""Documentation that is generated: equations, benchmark, the tables of experiments, and the parameters.

``python -m cortex_model.cli.documentation`` writes them; a test fails where they are not what the code, and the
benchmark that is kept, say.
"""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

from cortex_model.analysis.learning_curves import students_t
from cortex_model.benchmark.tables import in_short, markdown
from cortex_model.experiments.reproduce import figure_folder
from cortex_model.experiments.tables import error_text, read_rows
from cortex_model.language.describing import equations
from cortex_model.language.moments import Host, Learn
from cortex_model.language.sequence import moments_of
from cortex_model.rules import shipped
from cortex_model.runs.protocol import load_protocol, protocol_names


def equation_table(in_spikes: bool = False) -> str:
    """The table of equations: the paper's letters, the name everywhere, the string that says it, and in which rules.

    Of rules of rates; or of those that say what they are in spikes.
    """
    rules = {name: rule.in_spikes if in_spikes else rule for name, rule in shipped().items()}
    rules, rows = {name: rule for name, rule in rules.items() if rule}, {}
    for whose_rule, rule in rules.items():
        for name, letters, code in equations(rule):
            if letters:
                rows.setdefault((name, letters, code), []).append(whose_rule)
    lines = ["| the paper | name | here (strings of `cortex_model/rules`) | learning rules |", "|---|---|---|---|"]
    for (name, letters, code), its in rows.items():
        shown = code.replace("\n", "; ").replace("|", r"\|")
        others = [name for name in rules if name not in its]
        named = ", ".join(f"`{each}`" for each in min(its, others, key=len))
        whose = "all" if not others else f"all but {named}" if len(others) < len(its) else named
        lines.append(f"| {letters} | {name} | `{shown}` | {whose} |")
    return "\n".join(lines)


def rule_table() -> str:
    """The README's table of learning rules: where feedback starts, what changes in which phase, and the source."""
    lines = ["| `learning_rule` | feedback at the start | wake | sleep | source |", "|---|---|---|---|---|"]
    for name, rule in shipped().items():
        start = rule.projections["V"].start if "V" in rule.projections else "none"
        cells = [_changes(rule, phase) for phase in ("wake", "sleep")]
        lines.append(f"| `{name}` | {start} | {' | '.join(cells)} | {rule.paper} |")
    return "\n".join(lines)


def _changes(rule, phase):
    """What changes in a phase: projections that learn, and what the host does."""
    moments = list(moments_of(rule.phases.get(phase, ())))
    learned = dict.fromkeys(moment.projection for moment in moments if isinstance(moment, Learn))
    done = [f"the host sets {moment.code}" for moment in moments if isinstance(moment, Host)]
    said = [f"{', '.join(learned)} learn{'s' * (len(learned) == 1)}"] if learned else []
    return "; ".join(said + done) or "-"


def parameter_page() -> str:
    """Every parameter of every protocol: default, unit, range and meaning."""
    page = ["# Parameters", "", "Generated from the code by `python -m cortex_model.cli.documentation`."]
    seen = {}
    for name in sorted(protocol_names(), key=lambda n: n != "wake_sleep_classification"):
        page += ["", f"## `{name}`", ""]
        rows, same = load_protocol(name).parameters.table(), []
        page += ["| parameter | default | unit | range | meaning |", "|---|---|---|---|---|"]
        for row in rows:
            if seen.get(row["name"]) == row:
                same.append(f"`{row['name']}`")
                continue
            seen.setdefault(row["name"], row)
            cells = [f"`{row['name']}`", *list(row.values())[1:]]
            page.append("| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |")
        if same:
            page += ["", "As above: " + ", ".join(same) + "."]
    return "\n".join(page) + "\n"


def benchmark_tables() -> str:
    """The tables of the benchmark that is kept beside the figures."""
    return markdown(json.loads((figure_folder() / "benchmark.json").read_text()))


def benchmark_in_short() -> str:
    """The README's table of the same benchmark."""
    return in_short(json.loads((figure_folder() / "benchmark.json").read_text()))


#: Column of an experiment's table -> how it is headed.
HEADINGS = {
    "alignment_angle_to_pseudoinverse_degrees": "V to W⁺",
    "alignment_angle_to_transpose_degrees": "V to Wᵀ",
    "alignment_angle_to_fixed_point_degrees": "V to fixed point",
    "update_angle_to_backpropagation_degrees": "update to backprop.",
    "condition_number": "condition of W",
    "forward_drift": "drift of W",
    "distance_forward": "W to V⁺, relative",
    "update_difference_from_settled": "update's difference from settled",
    "relative_norm": "norm of V by that of W⁺",
    "feedback_spikes_in_wake": "feedback spikes, mean of populations",
}
#: The measure by which arms are compared -> how it is headed, where it is not an error of classification.
MEASURED = {
    "alignment_angle_to_pseudoinverse_degrees": "V to W⁺, degrees",
    "distance_feedback": "V to W⁺, relative",
    "unexplained_percent": "unexplained, %",
}
#: Columns that are no angles.
PLAIN = ("condition_number", "forward_drift", "distance_forward", "update_difference_from_settled", "relative_norm",
         "feedback_spikes_in_wake")  # fmt: skip


def experiment_table(path: Path) -> str:
    """The table of an experiment, from the CSV that was written with its figure; arms that share runs once."""
    rows = once(read_rows(path))
    levels = [key.removeprefix("reach_") for key in rows[0] if key.startswith("reach_")]
    others = [key for key in HEADINGS if key in rows[0]]
    has_cost = "operations" in rows[0]
    intervals = sorted({students_t(int(row["seeds"])) for row in rows if row["seeds"] != "1"})
    measured = MEASURED.get(rows[0].get("measure", ""), "error") + f" [95 %, {', '.join(intervals)}]" * bool(intervals)
    head = ["arm", "seeds", measured, *(f"wake (total) to {level} %" for level in levels)]
    head += [HEADINGS[key] + ("" if key in PLAIN else ", degrees") for key in others]
    head += ["half cycles of sleep", "operations"] * has_cost
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for row in rows:
        cells = [row["arm"], row["seeds"], error_text(row), *(needed_text(row, level) for level in levels)]
        cells += [f"{float(row[key]):.3g}" if row[key] else "" for key in others]
        cells += [f"{int(row['sleep_half_cycles']):,}", row["operations"]] if has_cost else []
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def once(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """Rows without those that repeat the numbers of an earlier one: arms with the same parameters share their runs."""
    kept: dict = {}
    for row in rows:
        kept.setdefault(tuple(value for key, value in row.items() if key not in ("arm", "x")), row)
    return list(kept.values())


def needed_text(row: dict[str, str], level: str) -> str:
    """Wake presentations to a level, all in brackets; a bound where the mean lies before the first evaluation."""
    wake, high, total, reach = (
        row[key] for key in (f"wake_to_{level}", f"wake_to_{level}_high", f"total_to_{level}", f"reach_{level}")
    )
    if not wake:
        return "never"
    first, sign = int(row["first_evaluation"]), ""
    if int(wake) < first:
        sign = "about " if high and int(high) >= first else "< "
        wake, total = row["first_evaluation"], row["first_evaluation_total"]
    text = f"{sign}{int(wake):,} ({sign}{int(total):,})"
    return text + ("" if reach == row["seeds"] else f", {reach} of {row['seeds']} seeds")


def result_tables() -> dict[str, Callable[[], str]]:
    """Name -> table of every experiment whose numbers are kept beside its figure."""
    kept = sorted((figure_folder() / "experiments").glob("*_table.csv"))
    return {path.stem.removesuffix("_table"): partial(experiment_table, path) for path in kept}


def all_rules_table() -> str:
    """The table of all rules, from the CSV that was written with its figure."""
    head = ["rule", "network", "rate", "error, %", "presentations to 95 %", "operations to 95 %", "seeds that reach it"]
    head += ["update to backprop., degrees", "to damped Gauss-Newton, degrees"]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for row in read_rows(figure_folder() / "all_rules_mnist.csv"):
        error = error_text(row | {"low": row["error_low"], "high": row["error_high"]})
        is_reached = row["reach"] != "0"
        cells = [row["rule"], row["network"], row["learning_rate"], error]
        cells += (
            [f"{float(row['presentations']):,.0f}", f"{float(row['operations']):.2e}"] if is_reached else ["never", ""]
        )
        cells += [f"{row['reach']} of {row['seeds']}"]
        cells += [f"{float(row[name]):.1f}" for name in ("to_backpropagation", "to_gauss_newton")]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def with_tables(page: str, tables: dict[str, Callable[[], str]]) -> str:
    """A page with its generated parts as they must be."""
    for name, table in tables.items():
        start, end = f"<!-- {name}: generated -->", f"<!-- end of {name} -->"
        before, rest = page.split(start)
        page = before + start + "\n" + table() + "\n" + end + rest.split(end)[1]
    return page


def generated() -> dict[Path, str]:
    """File -> what it must hold, for every file with generated parts."""
    root = Path(__file__).parents[2]
    readme, protocols, results = (root / name for name in ("README.md", "protocols/README.md", "figures/README.md"))
    parts = {
        readme: {"rules": rule_table, "benchmark_in_short": benchmark_in_short},
        protocols: {"equations": equation_table, "spike_equations": partial(equation_table, in_spikes=True)},
        results: result_tables() | {"all_rules": all_rules_table, "benchmark": benchmark_tables},
    }
    pages = {page: with_tables(page.read_text(), tables) for page, tables in parts.items()}
    return pages | {root / "protocols" / "PARAMETERS.md": parameter_page()}


def main() -> None:
    """Write the generated parts."""
    for path, text in generated().items():
        path.write_text(text)


if __name__ == "__main__":
    main()
