"""Images at Amazon: a temporary instance, what is done in it, and the AMI that is made of it."""
