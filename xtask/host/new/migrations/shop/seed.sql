-- Reference data. It runs any number of times, and changes nothing the second time.

insert into currencies (code, name) values
    ('EUR', 'Euro'),
    ('GBP', 'Pound sterling'),
    ('USD', 'US dollar')
on conflict (code) do update set name = excluded.name
    where currencies.name is distinct from excluded.name;
