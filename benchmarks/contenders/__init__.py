"""What is measured: each module here runs in a process of its own and prints one JSON line."""
