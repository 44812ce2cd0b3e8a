"""Packer's templates, JSON and HCL2: reading them, and working their expressions out."""
