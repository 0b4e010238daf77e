"""What is being said in a consultation: themes that keep the few in sight."""
