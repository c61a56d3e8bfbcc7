"""Drawn people with a known expression: a person, an expression, and a picture of both."""
