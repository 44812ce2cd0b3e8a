"""Questions and forms; each module is imported when it is first needed."""
