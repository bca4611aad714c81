"""The `grid` command: options, messages, exit codes, and the order of each command's steps."""
