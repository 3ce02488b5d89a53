-- Removes the progress table with all that users have recorded in it.

drop table progress;
