"""What convcost costs to run, always as a ratio to the least that the same job could take. Run by `make bench`."""
