"""The contract between games, data and engine: Game, Turn and Step, capabilities, modalities, batch fields.

No networks and no losses: these are in layers/, losses/ and games/.
"""
