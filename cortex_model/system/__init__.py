"""Files, memory, the code of users and of this package, and what is said when something fails."""
