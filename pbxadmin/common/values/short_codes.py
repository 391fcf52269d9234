"""Short numbers of the public network: what they reach everywhere in Canada, so that no extension may have them."""

# 933 is the provider's test of 911.
EMERGENCY_NUMBERS = frozenset({"911", "933"})
# Community services, the city, directory, roads, repair, relay, health line, suicide crisis helpline.
SERVICE_NUMBERS = frozenset({"211", "311", "411", "511", "611", "711", "811", "988"})
SHORT_CODES = EMERGENCY_NUMBERS | SERVICE_NUMBERS
