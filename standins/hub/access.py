"""Who asks, and what they may see."""

from __future__ import annotations

from dataclasses import dataclass, field

from aiohttp import web

from standins.hub.content import Repository

# Tokens of nobody: their names tell what they are good for, and that they open nothing anywhere else.
WITH_ACCESS = "standin-token-with-access"
WITHOUT_ACCESS = "standin-token-without-access"


@dataclass(frozen=True)
class Account:
    """Someone with a token."""

    name: str
    granted: bool
    """Whether the owners of gated repositories have let them in."""


@dataclass(frozen=True)
class Accounts:
    """Accounts by token."""

    by_token: dict[str, Account] = field(
        default_factory=lambda: {
            WITH_ACCESS: Account("standin-reader", granted=True),
            WITHOUT_ACCESS: Account("standin-newcomer", granted=False),
        }
    )

    def of(self, request: web.Request) -> Account | None:
        """The account whose token the request bears; None when it bears none, or one that nobody has."""
        return self.by_token.get(token_of(request))


def token_of(request: web.Request) -> str:
    """The token of a request, empty without one."""
    return request.headers.get("Authorization", "").removeprefix("Bearer ").strip()


def may_see(account: Account | None, repository: Repository) -> bool:
    """Whether the repository exists as far as this account is told."""
    return not repository.private or (account is not None and account.name == repository.owner)


def may_read(account: Account | None, repository: Repository) -> bool:
    """Whether its files may be downloaded."""
    return not repository.gated or (account is not None and account.granted and not repository.closed)
