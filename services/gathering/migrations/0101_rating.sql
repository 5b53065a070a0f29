-- What the reviews of each gathering add up to, newest version wins; a copy of what the review room tells.
CREATE TABLE rating (
    gathering_id TEXT   NOT NULL PRIMARY KEY,
    review_count BIGINT NOT NULL,
    rating_sum   BIGINT NOT NULL,
    version      BIGINT NOT NULL
);
