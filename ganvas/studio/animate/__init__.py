"""The page /animate."""
