"""Policies: from YAML files to validated values that know the file and line of each key."""
