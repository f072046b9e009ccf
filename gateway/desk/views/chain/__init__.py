"""What stands on the chain, what it cost, and what waits to be said to it."""
