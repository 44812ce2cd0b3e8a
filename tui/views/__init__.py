"""What the right side shows of the selected thing."""
