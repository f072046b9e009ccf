"""What is the statement as a document? Its content, the page that shows it, its tables, and the check of a page."""
