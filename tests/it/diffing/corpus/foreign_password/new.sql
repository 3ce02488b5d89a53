create foreign data wrapper w;
create server s foreign data wrapper w;
create user mapping for public server s options (password 'two');
create user mapping for current_user server s options ("user" 'me', "password" 't\wo', token 'same', secret 'new');
create server other foreign data wrapper w;
create user mapping for public server other options (passfile '/run/pass', password 'three');
