"""The log of an operation: a file of any size, of which only the visible lines are parsed."""
