"""Which frauds, and which honest traffic that looks like them, stand in a carrier's own month? See month.draw_month."""
