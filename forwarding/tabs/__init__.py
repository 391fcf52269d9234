"""The tabs “Transfert d'appels” and “Planifier”."""
