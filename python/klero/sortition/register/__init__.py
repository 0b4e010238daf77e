"""Letters to people on a register of any size: see :func:`klero.invite`."""
