"""One run: made, kept while it goes on, gone on with, several of them in one program."""
