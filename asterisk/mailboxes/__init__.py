"""Messages that lie at the nodes, and what the portal does about them: mails, and mailboxes that move or go."""
