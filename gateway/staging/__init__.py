"""Usage files that wait for a person: brought to the desk, tried, mapped, and then imported or put away."""
