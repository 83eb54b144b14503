"""All games and recipes by name: GAMES and RECIPES. A new game needs a line in each (CONTRIBUTING.md).

One file for each system, and no game imports another; shared code is in common/, blocks of networks are in layers/.
"""

from __future__ import annotations

from collections.abc import Mapping

from ganvas.config import Recipe
from ganvas.core.game import Game
from ganvas.games import (
    cgan,
    classifier,
    cogan,
    cyclegan,
    dcgan,
    fastgan,
    filters,
    gan,
    gan3d,
    inpainting,
    motion,
    pix2pix,
    progan,
    r3gan,
    spade,
    srgan,
    stylegan,
    stylegan2,
    textgan,
    textlm,
    vae,
)

GAMES: Mapping[str, type[Game]] = {
    "gan": gan.GAN,
    "cgan": cgan.CGAN,
    "self-conditioned": cgan.SelfConditionedGAN,
    "dcgan": dcgan.DCGAN,
    "r3gan": r3gan.R3GAN,
    "fastgan": fastgan.FastGAN,
    "fastgan-conditional": fastgan.ConditionalFastGAN,
    "progan": progan.ProGAN,
    "stylegan": stylegan.StyleGAN,
    "stylegan2": stylegan2.StyleGAN2,
    "stylegan2-conditional": stylegan2.ConditionalStyleGAN2,
    "cogan": cogan.CoGAN,
    "voxel": gan3d.VoxelGAN,
    "textgan": textgan.TextGAN,
    "textlm": textlm.TextLM,
    "classifier": classifier.Classifier,
    "vae": vae.VAE,
    "vae-conditional": vae.ConditionalVAE,
    "pix2pix": pix2pix.Pix2Pix,
    "cyclegan": cyclegan.CycleGAN,
    "spade": spade.SPADE,
    "srgan": srgan.SRGAN,
    "filters": filters.Filter,
    "motion": motion.Motion,
    "inpainting": inpainting.Inpainting,
}

_MODULES = (
    cgan,
    gan,
    dcgan,
    cogan,
    r3gan,
    fastgan,
    progan,
    stylegan,
    stylegan2,
    gan3d,
    textgan,
    textlm,
    vae,
    classifier,
    pix2pix,
    cyclegan,
    spade,
    srgan,
    filters,
    motion,
    inpainting,
)
RECIPES: Mapping[str, Recipe] = {recipe.name: recipe for module in _MODULES for recipe in module.RECIPES}
