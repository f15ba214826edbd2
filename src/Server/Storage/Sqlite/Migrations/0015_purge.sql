-- How many erasures have removed rows since copies of rows were last overwritten in the whole file. At first one: what earlier versions left.
CREATE TABLE purge (
    owed INTEGER NOT NULL
);

INSERT INTO purge (owed) VALUES (1);
