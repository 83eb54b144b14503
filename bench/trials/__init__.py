"""Trials of the campaign: each kind of fault in a module of its own."""
