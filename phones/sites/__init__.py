"""Where phones stand: SBCs, router phones, a customer's phones on one page."""
