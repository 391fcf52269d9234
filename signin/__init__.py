"""Who somebody is: passwords, second factors, single sign-on, the session that follows."""
