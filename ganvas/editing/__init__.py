"""What can be done with the samples of a trained model: move them through the latent space, and show the result.

Each function but `invert`, which finds codes, writes one picture or film of a `Model`. What compares models with real data is
in `ganvas.evaluation`.
"""

from ganvas.editing.inversion import invert
from ganvas.editing.latent_arithmetic import Term, arithmetic
from ganvas.editing.latent_map import reconstruct
from ganvas.editing.strips import strip
from ganvas.editing.traversal import plane, traverse

__all__ = ["Term", "arithmetic", "invert", "plane", "reconstruct", "strip", "traverse"]
