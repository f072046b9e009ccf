"""Which faults do we plant in the contracts? A TOML file for each contract; `planting` reads, applies and compiles."""
