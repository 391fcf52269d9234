"""What the desk does at many customers: what is wanted, of whom, and what that means at each of them (`users.road.wide`)."""
