"""What people hear, where and in which words."""
