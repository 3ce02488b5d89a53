create foreign data wrapper far options (odd 'value', more 'of them');
