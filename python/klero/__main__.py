"""`python -m klero`: the command line."""

from klero.cli import main

if __name__ == "__main__":
    main()
