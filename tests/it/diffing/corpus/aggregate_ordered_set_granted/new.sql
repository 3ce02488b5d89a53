create aggregate rank_of (variadic "any" order by variadic "any") (
    stype = internal, sfunc = ordered_set_transition_multi, finalfunc = rank_final, finalfunc_extra, hypothetical
);
grant execute on function rank_of to pg_monitor;
create aggregate disc (float8 order by anyelement) (
    stype = internal, sfunc = ordered_set_transition, finalfunc = percentile_disc_final, finalfunc_extra
);
revoke execute on function disc from public;
create aggregate counted (*) (sfunc = int8inc, stype = int8, initcond = '0');
revoke execute on function counted from public;
comment on aggregate disc (float8 order by anyelement) is 'A value.';
alter aggregate rank_of (variadic "any" order by variadic "any") owner to pg_monitor;
