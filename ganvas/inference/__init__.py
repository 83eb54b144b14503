"""Use of a trained model: load, sample, translate, sheets. Nothing here trains, and nothing compares with real data."""
