"""Formats of logs, one file each; the registry finds each by itself.

A file here that reads a format has `NAME`, what it is called; `WHAT`, what it reads in a line; `RANK`, how soon it is
asked, and how exact it is: in a folder with logs of several ranks only those of the lowest are read (0: every episode
or evaluation; 1 and 2: means of many; 3: any table); `claims(path, head)`, whether it reads that file, whose first
bytes are `head`; and `read(paths, asked)`, which gives the logs in the files of one folder that it claimed. Nothing
else needs to know of it.
"""
