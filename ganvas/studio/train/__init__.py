"""Train: start recipes, watch and steer them."""
