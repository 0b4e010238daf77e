"""Who repeats whom among the contributions of a consultation, with evidence and without a verdict."""
