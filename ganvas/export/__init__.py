"""A trained model in the form of other programs: an ONNX file, a page that runs it, a model card, a folder for a model hub."""
