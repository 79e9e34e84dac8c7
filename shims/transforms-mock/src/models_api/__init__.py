"""Types that adapters of container and external models name in their signatures."""
