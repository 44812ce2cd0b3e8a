"""Templates in JSON: builders, provisioners, post-processors."""
