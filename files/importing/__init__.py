"""From the rows of a file to plans of the road, and to one outcome for each row."""
