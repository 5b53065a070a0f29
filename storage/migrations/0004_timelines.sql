-- The timelines of PostgreSQL that this database was written on: a replica that has the row of one has followed it.
CREATE TABLE timeline (
    id BIGINT NOT NULL PRIMARY KEY
);
