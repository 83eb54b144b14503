"""The training loop and what belongs to a training: its state, EMA, balance, checkpoints, and the choice of a plan.

It knows games and turns. What a run folder holds, and what is measured, is above it.
"""
