create foreign data wrapper w;
create server s foreign data wrapper w;
create user mapping for public server s options (password 'one');
create user mapping for current_user server s options ("user" 'me', "password" 'o''ne', token 'same');
