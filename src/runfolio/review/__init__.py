"""Two commits compared as a reviewer wants to see them: what got better, by how much, is it noise, what is promoted, may it be.

A change is gathered once (:func:`~runfolio.review.gathering.gather`) into one value (:class:`~runfolio.review.change.Change`), from git
objects only: nothing of the change is run, no setting of its head is followed, a file too broken to read is named and hides no other.
Everything that is shown (text, Markdown for a pull request, HTML, JSON, OpenMetrics, annotations) is written from that value.
"""
