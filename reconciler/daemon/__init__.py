"""The long-running loop: when each unit's passes run, what is known meanwhile, and who is told."""
