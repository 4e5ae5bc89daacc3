"""Configuration: what it may say (schema), what it says (load), where it is kept (paths)."""

from darkai_cli.config.config import Config, Origin, ProviderConfig

__all__ = ["Config", "Origin", "ProviderConfig"]
