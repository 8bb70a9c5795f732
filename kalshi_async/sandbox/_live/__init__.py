"""What is listed, as trading and time change it."""
