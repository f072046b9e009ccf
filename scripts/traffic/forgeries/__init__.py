"""Which forgeries stand in a creditor's books, beside honest losses that look like them? See calls.draw_books."""
