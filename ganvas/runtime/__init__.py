"""The machine: devices, processes, exit codes."""
