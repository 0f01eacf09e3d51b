"""Reads calendars with icalendar, and prints the events of each, a line of JSON. Exits 1 if a part of one cannot be read."""

import json
import sys

from icalendar import Calendar

for path in sys.argv[1:]:
    with open(path, "rb") as file:
        calendar = Calendar.from_ical(file.read())
    wrong = [error for part in calendar.walk() for error in part.errors]
    if wrong or calendar["VERSION"] != "2.0":
        sys.exit(f"{path}: {wrong}")
    events = [
        {
            "uid": str(event["UID"]),
            "day": event.decoded("DTSTART").strftime("%Y%m%d"),
            "summary": str(event["SUMMARY"]),
            "description": str(event.get("DESCRIPTION", "")),
        }
        for event in calendar.walk("VEVENT")
    ]
    print(json.dumps(events))
