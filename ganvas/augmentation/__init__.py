"""Data augmentation with a generator: fill classes with samples (the tool), and measure whether that helps (the study)."""
