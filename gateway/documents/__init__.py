"""What leaves the house as a file? Statements, invoices, payment orders, bundles and tables."""
