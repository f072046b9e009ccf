"""The tables of the pages: which columns each has, how it is sorted, and how it leaves the house."""
