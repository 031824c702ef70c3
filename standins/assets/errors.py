"""What can go wrong while assets are prepared, told to the person who has to act."""


class PreparationError(RuntimeError):
    """Assets could not be prepared; the message says why and what to do."""
