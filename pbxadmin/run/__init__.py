"""What `./run` does: the launcher, and the processes that it starts, watches and stops."""
