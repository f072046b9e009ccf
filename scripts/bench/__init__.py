"""What does each part of the house cost? One module for each bench; `make bench BENCH=<name>`."""
