"""The playground: points on a line or in the plane, the real engine, every move visible."""
