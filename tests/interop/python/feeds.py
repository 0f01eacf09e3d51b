"""Reads Atom feeds with feedparser, and prints what it has of each, a line of JSON. Exits 1 if one is not well-formed."""

import json
import sys

import feedparser

for path in sys.argv[1:]:
    with open(path, "rb") as file:
        read = feedparser.parse(file.read(), sanitize_html=False, resolve_relative_uris=False)
    if read.bozo or read.version != "atom10":
        sys.exit(f"{path}: {read.version or 'no feed'}: {read.get('bozo_exception')}")
    entries = [
        {
            "id": entry.id,
            "title": entry.title,
            "updated": entry.updated,
            "authors": [author.get("name") for author in entry.authors],
            "link": entry.link,
            "content": [content.value for content in entry.content],
            "types": [entry.title_detail.type] + [content.type for content in entry.content],
        }
        for entry in read.entries
    ]
    print(json.dumps({"id": read.feed.id, "updated": read.feed.updated, "entries": entries}))
