"""Commands of the voicemail app."""
