"""Losses of discriminator and generator, gradient penalties, likelihood terms: pure functions of tensors.

Which losses a game uses, and when, is in games/common/: `Rules` and `Duel`.
"""
