# The public names, with their types: `ganvas/__init__.py` imports each at its first use. Here `ganvas.studio` is the function
# alone; `from ganvas.studio.page import ...` works as ever.

from ganvas.config import Recipe as Recipe
from ganvas.core.game import Game as Game
from ganvas.core.game import Step as Step
from ganvas.core.game import Turn as Turn
from ganvas.editing import Term as Term
from ganvas.editing import arithmetic as arithmetic
from ganvas.editing import plane as plane
from ganvas.editing import strip as strip
from ganvas.editing import traverse as traverse
from ganvas.evaluation.comparison import compare as compare
from ganvas.evaluation.evaluate import evaluate as evaluate
from ganvas.evaluation.training_neighbours import neighbours as neighbours
from ganvas.games import RECIPES as RECIPES
from ganvas.games.common.duel import Duel as Duel
from ganvas.inference.model import Model as Model
from ganvas.inference.model import load as load
from ganvas.studio.notebook_studio import open_studio as _open_studio
from ganvas.training.api import resume as resume
from ganvas.training.api import train as train

__version__: str
studio = _open_studio
