"""The families of operations: one class each, reached through the client."""
