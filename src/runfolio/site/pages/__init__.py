"""The site's pages, one module a noun; each yields what it wants to be made."""

from runfolio.site.pages.order import all_pages

__all__ = ["all_pages"]
