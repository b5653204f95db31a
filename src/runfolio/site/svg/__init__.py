"""Charts as static SVG, for pages without scripts and for print. Colours come from classes, so that they follow the theme."""
