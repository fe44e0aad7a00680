"""The pair grid: even paths between instruments, their files, and the process that makes them."""
