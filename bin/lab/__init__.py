"""The lab: nova-lite's daemons and their real neighbours as private processes of one checkout."""
