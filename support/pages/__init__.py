"""Pages of the support desk beside its lists: each one module, registered with `frame.page`."""
