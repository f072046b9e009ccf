"""The records of a month: all of a direction, those of a finding, and one down to its proof."""
