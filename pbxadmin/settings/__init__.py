"""Settings: `base` for what never differs, then `development`, `test` and `production`."""
