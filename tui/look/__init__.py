"""How the workbench looks: themes, roles of colours, signs."""
