"""`python -m gateway` is `gsc`."""

from gateway.cli import main

if __name__ == "__main__":
    main()
