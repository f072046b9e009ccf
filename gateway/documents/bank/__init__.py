"""What arrived at the bank? Its statements (camt.053, camt.054) read, and matched to the payables they pay."""
