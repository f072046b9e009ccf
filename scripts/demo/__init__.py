"""How do three carriers settle a month? The demonstration: `python -m scripts.demo`."""
