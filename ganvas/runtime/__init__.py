"""The machine: devices, the plan of execution, ranks and their processes, exit codes.

No training and no networks: a plan is chosen in engine/autotune.py, and used in engine/ and training/.
"""
