"""The lists on the left: machines, boxes, builds."""
