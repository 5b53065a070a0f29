CREATE TABLE wallet (
    member_id   TEXT   NOT NULL PRIMARY KEY
);
