create sequence t;
