"""The Asterisk that carries out calls: fetched, configured from `deploy/asterisk/`, started and stopped; without Django."""
