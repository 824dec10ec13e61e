"""The command that builds the documentation."""

from pathlib import Path

from cortex_model.cli.app import Out, app
from cortex_model.cli.printing import out


@app.command()
def docs(out_folder: Out = Path("documentation")) -> None:
    """Build the documentation as a site of static pages: tutorial, protocols, results, every figure, the reference."""
    from cortex_model.site.building import build

    for warning in build(out_folder):
        out.print(warning, markup=False, soft_wrap=True)
    out.print(out_folder / "index.html", soft_wrap=True)
