"""The note set: sound fonts in, single notes with their description out; and its reader."""
