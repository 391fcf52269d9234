"""What Asterisk asks the portal over HTTP, behind a node's token: the rows of lines and trunks, the plan of each call, and what is dialled.

Nothing here has a session, a language or a form, and nothing writes on the way of a call.
"""
