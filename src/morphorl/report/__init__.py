"""What is shown of finished studies: figures, tables, pages, replays."""
