"""HCL2: syntax and evaluation."""
