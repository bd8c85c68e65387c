"""What would have been said at past contacts, and which reviewed cases are like a living one."""
