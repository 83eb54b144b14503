"""What leaves the house: pictures, animations and other files."""
