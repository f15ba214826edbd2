-- How often rows were erased since copies of erased rows were last overwritten in the whole file. One at first: what earlier versions left.
CREATE TABLE purge (
    owed INTEGER NOT NULL
);

INSERT INTO purge (owed) VALUES (1);
