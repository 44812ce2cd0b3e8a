"""Steps of builds: Packer's provisioners, and those of machines."""
