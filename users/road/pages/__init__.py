"""Pages that save, delete or act by the road."""
