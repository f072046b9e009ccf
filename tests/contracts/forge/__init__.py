"""Which rules hold after any sequence of steps, under forge? Solidity sources; `python -m tests.contracts.forge`."""
