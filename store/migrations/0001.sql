-- Points in time are nanoseconds since 1970, 0 for never.

CREATE TABLE conversations (
	id      VARCHAR(64) PRIMARY KEY,
	title   TEXT        NOT NULL,
	model   TEXT        NOT NULL,
	system  TEXT        NOT NULL,
	created BIGINT      NOT NULL,
	updated BIGINT      NOT NULL
);
CREATE INDEX conversations_updated ON conversations (updated);

CREATE TABLE messages (
	seq          INTEGER PRIMARY KEY,
	id           VARCHAR(64) NOT NULL UNIQUE,
	conversation VARCHAR(64) NOT NULL REFERENCES conversations (id),
	position     INTEGER     NOT NULL,
	role         VARCHAR(16) NOT NULL,
	text         TEXT        NOT NULL,
	reasoning    TEXT        NOT NULL,
	state        VARCHAR(16) NOT NULL,
	model        TEXT        NOT NULL,
	stop_reason  TEXT        NOT NULL,
	problem      TEXT        NOT NULL,
	input        BIGINT      NOT NULL,
	output       BIGINT      NOT NULL,
	cache_read   BIGINT      NOT NULL,
	cache_write  BIGINT      NOT NULL,
	cost         DOUBLE PRECISION NOT NULL,
	created      BIGINT      NOT NULL,
	finished     BIGINT      NOT NULL,
	UNIQUE (conversation, position)
);
CREATE INDEX messages_state ON messages (state);

-- A message enters the index of texts once its text will not grow any more.
CREATE VIRTUAL TABLE texts USING fts5 (text, content = 'messages', content_rowid = 'seq', tokenize = 'trigram');
CREATE TRIGGER messages_written AFTER INSERT ON messages WHEN new.state <> 'running' BEGIN
	INSERT INTO texts (rowid, text) VALUES (new.seq, new.text);
END;
CREATE TRIGGER messages_finished AFTER UPDATE ON messages WHEN old.state = 'running' AND new.state <> 'running' BEGIN
	INSERT INTO texts (rowid, text) VALUES (new.seq, new.text);
END;
CREATE TRIGGER messages_removed AFTER DELETE ON messages WHEN old.state <> 'running' BEGIN
	INSERT INTO texts (texts, rowid, text) VALUES ('delete', old.seq, old.text);
END;

CREATE TABLE calls (
	seq         INTEGER PRIMARY KEY,
	time        BIGINT       NOT NULL,
	client      VARCHAR(255) NOT NULL,
	model       VARCHAR(255) NOT NULL,
	input       BIGINT       NOT NULL,
	output      BIGINT       NOT NULL,
	cache_read  BIGINT       NOT NULL,
	cache_write BIGINT       NOT NULL,
	cost        DOUBLE PRECISION NOT NULL,
	status      INTEGER      NOT NULL,
	finding     VARCHAR(16)  NOT NULL,
	request_id  VARCHAR(255) NOT NULL
);
CREATE INDEX calls_time ON calls (time);

CREATE TABLE settings (
	name  VARCHAR(64) PRIMARY KEY,
	value TEXT        NOT NULL
);

-- Keys, cookies and links are here as their SHA-256 only.
CREATE TABLE clients (
	name      VARCHAR(255) PRIMARY KEY,
	hash      BINARY(32)   NOT NULL UNIQUE,
	created   BIGINT       NOT NULL,
	last_used BIGINT       NOT NULL
);
CREATE TABLE sessions (
	hash    BINARY(32) PRIMARY KEY,
	created BIGINT     NOT NULL,
	expires BIGINT     NOT NULL
);
CREATE TABLE links (
	hash    BINARY(32) PRIMARY KEY,
	expires BIGINT     NOT NULL
);
