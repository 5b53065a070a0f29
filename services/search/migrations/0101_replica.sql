-- What this replica is called by those who tell it facts; a database that comes anew is another replica.
CREATE TABLE replica (
    id   BIGINT NOT NULL PRIMARY KEY,
    name TEXT   NOT NULL
);
