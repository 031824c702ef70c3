"""What is given and what comes of it: an example and its needs, its run and record, its numbers, its rehearsal."""
