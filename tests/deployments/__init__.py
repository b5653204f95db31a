"""Images, and versions put where they are called."""
