"""Chaos: real processes, a seeded workload, faults at random moments, and the books afterwards."""
