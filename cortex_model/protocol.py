"""What a protocol script imports: `Protocol`, which it defines, and `Run`, which its procedure is handed."""

from cortex_model.runs.protocol import Protocol, load_protocol, protocol_folder, protocol_names
from cortex_model.runs.run import Run, run_numbers

__all__ = ["Protocol", "Run", "load_protocol", "protocol_folder", "protocol_names", "run_numbers"]
