"""The stand-in for the intelligence API: seeded, made-up analyses of the exchange's own markets."""
