create conversion cv for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8;
create language plx handler plpgsql_call_handler;
create access method am type index handler bthandler;
create transform for int language sql (from sql with function prsd_lextype(internal));
