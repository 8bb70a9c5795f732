"""The answers of the REST operations."""
