"""Files, settings, seeds and text: nothing here knows of networks."""
