"""What does usage cost? Decks, rates and terms, and the rating of all four services, exact to the last micro."""
