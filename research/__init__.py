"""What made the generator that comes with the project. Programs to run by hand; nothing else imports them."""
