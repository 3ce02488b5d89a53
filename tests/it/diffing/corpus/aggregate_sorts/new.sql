create aggregate mp (variadic "any" order by variadic "any") (sfunc = ordered_set_transition_multi, stype = internal, finalfunc = rank_final, finalfunc_extra, hypothetical);
create aggregate mw (int) (sfunc = int4pl, stype = int, msfunc = int4pl, minvfunc = int4mi, mstype = int, initcond = '0', minitcond = '0');
create aggregate mm (int) (sfunc = int4larger, stype = int, sortop = >);
create aggregate cnt (*) (sfunc = int8inc, stype = bigint, initcond = '0');
