"""What each setting of /play does, in one or two sentences: shown on hover and focus, and read by a screen reader."""

from __future__ import annotations

from collections.abc import Mapping

SETTINGS: Mapping[str, str] = {
    "data": "The real points. Another choice brings the settings that suit it, and starts a new game.",
    "seed": "The number that all randomness comes from: the same seed and settings give the same game, bit for bit.",
    "beside": "Other models that train on the same points, one step for each step of the GAN.",
    "objective": "What D and G minimize. Another loss brings its usual penalties, clipping and moves of D.",
    "d_moves": "How often D moves before G does. More moves bring D closer to the best answer; 0 stops it.",
    "g_moves": "How often G moves after D. With many moves G runs to the place that D likes best at this moment.",
    "d_rate": "How far one move changes D. If it is too high, D jumps; if it is too low, D falls behind G.",
    "g_rate": "How far one move changes G. If it is too high, the fakes jump past the data.",
    "balance": "Whether the engine slows down the player that is ahead: automatic, only observed, D rests, or off.",
    "r1": "A penalty on the slope of D at the data. It damps oscillation: D becomes flat where the fakes have arrived.",
    "r2": "The same penalty at the fakes. Together with R1 the game comes to rest.",
    "penalty": "A penalty that asks D for slope 1 between reals and fakes. The Wasserstein loss needs it, or clipping.",
    "clip": "After each move every weight of D is cut to plus or minus this value. 0: no clipping.",
    "d_noise": "Noise added to all points before D sees them; it fades during the run. It makes D smooth.",
    "optimiser": "Adam scales each weight's step by its recent gradients. Gradient descent uses the gradient as it is.",
    "momentum": "How much of the last step goes into the next one. In a game it makes both players overshoot.",
    "batch": "Points for each move. More of them give a steadier gradient and a slower step.",
    "length": "Steps until the learning rates have fallen to their end and the noise has faded. The game goes on after that.",
    "end": "The share of the learning rates that is left at the end of the run. 1: they stay constant.",
    "noise": "The distribution of the numbers that G gets.",
    "latent_dim": "How many numbers G gets for one point. With one, all fakes lie on a curve.",
    "width": "Units in each hidden layer of G. More of them can make finer shapes, and take longer.",
    "depth": "Hidden layers of G. More of them can bend the noise more sharply.",
    "critic_width": "Units in each hidden layer of D.",
    "critic_depth": "Hidden layers of D. More of them can draw finer borders.",
    "coins": "G also gets a few coin flips, so it can jump from mode to mode and leaves no fakes between them.",
    "frequencies": "D also gets sines and cosines of the place, up to this frequency. So it sees fine detail.",
}
