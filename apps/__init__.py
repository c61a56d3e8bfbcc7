"""What both apps share: the checkpoint they use, strangers' photos, security headers, the mirror's rules."""
