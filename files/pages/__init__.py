"""The pages of files: out, in, and what each of their columns means."""
