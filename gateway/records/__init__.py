"""Every record of a direction and month, ours beside theirs, in a file that any page of it is read from alike."""
