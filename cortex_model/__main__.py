"""``python -m cortex_model``: the command line."""

from cortex_model.cli import main

main()
