"""`python -m reconciler` is the command `reconcile`."""

from reconciler.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
