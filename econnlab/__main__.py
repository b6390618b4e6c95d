"""``python -m econnlab``: the same as the console script."""

from econnlab.cli.main import main

if __name__ == "__main__":
    main()
