"""The tutorial, a notebook that is kept with its outputs.

``python -m cortex_model.site.tutorial`` runs it anew in a temporary folder, and writes it without what differs from one
machine to the next: times, counts of executions, warnings, and lines of progress.
"""

from pathlib import Path
from typing import Any

from cortex_model.system.cache import scratch
from cortex_model.system.sources import package_folder

NAME = "tutorial.ipynb"
#: Seconds that a cell may take.
LONGEST_SECONDS = 300


def path() -> Path:
    """Where the notebook is."""
    return package_folder("protocols") / NAME


def read(file: Path) -> Any:
    """A notebook of version 4."""
    import nbformat

    return nbformat.read(file, as_version=4)


def executed(notebook: Any, folder: Path) -> Any:
    """A copy of a notebook with the outputs that it has in a folder.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
    folder : Path
        Working folder of its cells.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        With the traceback of the first cell that fails.
    """
    from copy import deepcopy

    from nbclient import NotebookClient

    done = deepcopy(notebook)
    NotebookClient(done, timeout=LONGEST_SECONDS, resources={"metadata": {"path": str(folder)}}).execute()
    return stripped(done)


def stripped(notebook: Any) -> Any:
    """The same notebook without times, versions, HTML beside text, warnings, and lines of progress."""
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    count = 0
    for cell in notebook.cells:
        cell.metadata = {}
        if cell.cell_type != "code":
            continue
        count += 1
        cell.execution_count = count
        cell.outputs = joined([output for output in cell.outputs if not is_noise(output)])
        for output in cell.outputs:
            if "execution_count" in output:
                output.execution_count = count
            if "data" in output:
                output.metadata = {}
                kept = ("image/png",) if "image/png" in output.data else ("text/plain",)
                output.data = {kind: output.data[kind] for kind in kept}
    return notebook


def is_noise(output: Any) -> bool:
    """Whether an output is the line that a long job writes over, or what other packages warn of."""
    if output.output_type == "stream":
        return output.name == "stderr"
    return output.output_type == "display_data" and list(output.data) == ["text/plain"]


def joined(outputs: list[Any]) -> list[Any]:
    """Outputs with neighbouring pieces of one stream as one: how they are cut depends on time."""
    whole: list[Any] = []
    for output in outputs:
        if whole and output.output_type == "stream" and whole[-1].get("name") == output.name:
            whole[-1].text += output.text
        else:
            whole.append(output)
    return whole


def main() -> None:
    """Run the notebook and write it with its outputs."""
    import nbformat

    with scratch() as folder:
        nbformat.write(executed(read(path()), folder), path())


if __name__ == "__main__":
    main()
