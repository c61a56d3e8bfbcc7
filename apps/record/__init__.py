"""The record that the child's page and the adult's desk stand on: numbers under a pseudonym, in one SQLite file."""
