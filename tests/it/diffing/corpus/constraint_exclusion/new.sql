create table t (a int4range, constraint e exclude using gist (a with &&) where (not isempty(a)) deferrable);
