"""What the chain says, told to the carrier's own systems: signed by the Standard Webhooks scheme."""
