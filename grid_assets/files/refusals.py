"""Why a bucket could not be used, and what to do about it: words for the errors of libraries. Pure.

Errors are told apart by the names of their classes and by their codes, so that no library is
imported. No text of an error is repeated, since it can hold an address with a password.
"""

from __future__ import annotations

from grid_assets.files.places import BucketPlace


def explain(error: BaseException, place: BucketPlace, seconds: float) -> str:
    """One or two sentences with cause and cure."""
    names = {kind.__name__ for kind in type(error).__mro__}
    code = _code(error)
    store = place.store
    if names & {"TimeoutError", "ConnectTimeoutError", "ReadTimeoutError"}:
        return (
            f"{place} did not answer within {seconds:g} s. Check the network, and "
            f"{store.endpoint} if the store is not the provider's own."
        )
    if names & {"NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError"}:
        return (
            f"{place} cannot be used: there are no credentials. Set {store.credentials}, or give "
            "this machine a role that may write there."
        )
    if code in ("NoSuchBucket", "404") or isinstance(error, FileNotFoundError):
        return (
            f"{place} cannot be used: there is no bucket {place.bucket}. Create it, or correct the "
            f"address or {store.endpoint}."
        )
    if (
        isinstance(error, PermissionError)
        or code in ("401", "403")
        or str(error).startswith("Forbidden")
    ):
        return (
            f"{place} refused access ({code or 403}). Check {store.credentials}; they need the "
            "right to list, read, write and delete there."
        )
    if names & {"HTTPClientError", "ClientConnectionError", "ConnectionError", "TransportError"}:
        return (
            f"{place} cannot be reached ({type(error).__name__}). Check the network, and "
            f"{store.endpoint} if the store is not the provider's own."
        )
    if names & {"ValueError", "ProfileNotFound", "ConfigParseError"}:
        return (
            f"{place} cannot be used: the provider's settings are not usable. Check "
            f"{store.endpoint} and {store.credentials}."
        )
    what = f"{type(error).__name__}, {code}" if code else type(error).__name__
    return f"{place} failed ({what}). Try again later; if it stays, try the store's own tool."


def _code(error: BaseException) -> str | None:
    """The code of an answer: S3's word, or an HTTP status."""
    for one in (error, error.__cause__):
        response = getattr(one, "response", None)
        if isinstance(response, dict) and response.get("Error", {}).get("Code"):
            return str(response["Error"]["Code"])
        if (status := getattr(one, "code", None)) is not None:
            return str(status)
    return None
