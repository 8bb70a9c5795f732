"""What the exchange lists: markets, events and series, from a seed or from files."""
