"""Files on their way in: those that wait, those that were imported, and how an unknown one is to be read."""
