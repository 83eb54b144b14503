"""The command line: parse, call the library, show. `app.py` lists the commands; no other folder imports this one."""
