-- What an event was about, and how often it happened while it waited to be written.
alter table control.security_event add column subject text;
alter table control.security_event add column times integer not null default 1;
