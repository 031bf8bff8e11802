"""What people and scripts read: plans, explanations, findings and lists as text."""
