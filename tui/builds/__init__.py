"""What the workbench does with builds: their questions, and the screens of their machines."""
