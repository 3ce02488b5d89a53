-- What the tables of this app should be. After an edit: cargo xtask makemigrations

create table currencies (
    code text not null,
    name text not null,

    constraint currencies_pkey primary key (code),
    constraint currencies_code_check check (code ~ '^[A-Z]{3}$')
);

comment on table currencies is
    'What prices are in.';
